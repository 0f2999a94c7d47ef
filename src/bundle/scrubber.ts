/**
 * The last line of defence: nothing gathered should hold a secret, and still each text goes through here. First what is known to be secret, in
 * every form; then what has the looks of one; then what nobody would write by hand.
 */
import { redactText } from '../redaction.ts';
import type { Scrub } from './gather-parts.ts';
import { formsOf } from './secret-forms.ts';

const CENSOR = '[secret]';

// A line of a file such as `password: hunter2` or `requirepass hunter2`; names as such, so that `passwordFile: /etc/relay/redis` stays.
const NAMES =
  '(?:client|shared|account|access|refresh|api|private|enrolment|proxy)?[-_ ]?(?:secret|password|passwd|passphrase|token)|(?:shared|account|api|private|enrolment)[-_ ]?key|requirepass|masterauth';
const SETTING = new RegExp(`^([ \\t-]*(?:${NAMES})(?:[ \\t]*[:=][ \\t]*|[ \\t]+))(?!\\[secret\\])\\S+[ \\t]*$`, 'gim');
const ASSIGNMENT = new RegExp(`\\b((?:${NAMES})=)(?!\\[secret\\])[^\\s&"',;]+`, 'gi');

const RUN = /[A-Za-z0-9+/_-]{32,}={0,2}/g;
const BASE64_CHARACTER = /[A-Za-z0-9+/_=-]/;

/** Makes the scrubber that knows these secrets. */
export function createScrubber(secrets: readonly string[]): Scrub {
  const { anywhere, alone, inBase64 } = formsOf(secrets);
  const words = alone.map((secret) => new RegExp(`(?<![A-Za-z0-9])${literally(secret)}(?![A-Za-z0-9])`, 'g'));
  return (text) => {
    const steps = [
      (found: string) => inBase64.reduce(withoutRun, found),
      (found: string) => anywhere.reduce((left, secret) => left.replaceAll(secret, CENSOR), found),
      (found: string) => words.reduce((left, word) => left.replace(word, CENSOR), found),
      redactText,
      (found: string) => found.replace(SETTING, `$1${CENSOR}`).replace(ASSIGNMENT, `$1${CENSOR}`),
      (found: string) => found.replace(RUN, (run) => (isRandom(run) ? CENSOR : run)),
    ];
    return steps.reduce((left, scrub) => scrub(left), text);
  };
}

/**
 * Whether a run of characters looks like chance in base64: upper case, lower case and digits change places all the time. Identifiers, paths and
 * names in CamelCase do not, and hexadecimal (fingerprints, seals, ids) has no upper case beside lower case.
 */
export function isRandom(run: string): boolean {
  const kinds = [...run].map(kindOf);
  const count = (kind: string): number => kinds.filter((one) => one === kind).length;
  const changes = kinds.filter((kind, at) => at > 0 && kind !== kinds[at - 1]).length;
  const [upperShare, changeShare] = count('digit') > 0 ? [0.12, 0.3] : [0.25, 0.35];
  return count('lower') >= 4 && count('upper') >= upperShare * run.length && changes >= changeShare * run.length;
}

function kindOf(character: string): 'upper' | 'lower' | 'digit' | 'other' {
  if (character >= 'a' && character <= 'z') return 'lower';
  if (character >= 'A' && character <= 'Z') return 'upper';
  return character >= '0' && character <= '9' ? 'digit' : 'other';
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

// What is beside the piece belongs to the same value: a name before a password, the last bits behind it.
function withoutRun(text: string, piece: string): string {
  let left = text;
  for (let at = left.indexOf(piece); at >= 0; at = left.indexOf(piece, at + CENSOR.length)) {
    let from = at;
    let end = at + piece.length;
    while (from > 0 && BASE64_CHARACTER.test(left[from - 1] ?? '')) from -= 1;
    while (end < left.length && BASE64_CHARACTER.test(left[end] ?? '')) end += 1;
    left = `${left.slice(0, from)}${CENSOR}${left.slice(end)}`;
    at = from;
  }
  return left;
}
