import type { Seal } from '../host/credentials.ts';
import type { KeyOutcome } from './bring-up.ts';

/** What setup tells at its end. */
export interface Report {
  readonly version: string;
  readonly name: string;
  /** Addresses on the agents' side. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** The relay's own DNS domain. */
  readonly domain: string;
  /** SHA-256 of the root. */
  readonly rootFingerprint: string;
  readonly seal: Seal;
  /** `http://10.9.0.5:9464`; undefined where only this machine reaches them. */
  readonly metrics: string | undefined;
  readonly keys: readonly KeyOutcome[];
  readonly notes: readonly string[];
  /** Folder of the sealed credentials. */
  readonly credentials: string;
}

/** How secrets are sealed here, and what that protects. */
export function sealSentence(seal: Seal): string {
  return seal === 'host+tpm2'
    ? "sealed by this machine's TPM 2 and a key on its disk: a copied or stolen disk reveals nothing"
    : 'sealed by a key on this same disk: protects backups of single files, does NOT protect a stolen or copied disk (give the machine a TPM 2 for that)';
}

/** Where to point agents, what they trust, how secrets are sealed, and what to do next. Lines for console, terminal and log; no secret is among them. */
export function reportText(report: Report): string {
  const { version, name, addresses, port, domain, rootFingerprint, seal, metrics, notes } = report;
  const where = addresses.length === 0 ? 'no address yet; see: ip address' : `${addresses.join(' or ')}, port ${port}`;
  return [
    `Relay ${version} on ${name} is ready.`,
    '',
    `  agents        ${where}`,
    `  root SHA-256  ${rootFingerprint}`,
    `  secrets       ${sealSentence(seal)}`,
    `  metrics       ${metrics ?? 'on this machine only'}`,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `  Note: ${note}`)]),
    '',
    'Next:',
    `  1. Let ${domain}, *.oms.${domain} and *.ods.${domain} lead here in your DNS.`,
    `  2. ${enrolSentence(report)}`,
    '  3. See what needs attention: relay status',
  ].join('\n');
}

function enrolSentence({ keys, credentials }: Report): string {
  const shown = keys.flatMap(({ name, credential }) =>
    credential === undefined ? [] : [`${name}: sudo systemd-creds decrypt ${credentials}/${credential} -`],
  );
  if (shown.length > 0) return `Enrol machines with the enrolment key ${shown.join(' · ')}`;
  const [key] = keys.filter(({ outcome }) => outcome !== 'revoked');
  return key === undefined
    ? 'Make an enrolment key for your machines: relay enrolment-key create --help'
    : `Enrol machines with the enrolment key ${key.name}, which you have.`;
}

/** What became of each key, where that is news. */
export function keyNotes(keys: readonly KeyOutcome[]): readonly string[] {
  return keys.flatMap(({ name, outcome }) =>
    outcome === 'revoked' ? [`The enrolment key ${name} was revoked and stays so; name another one in the answers.`] : [],
  );
}
