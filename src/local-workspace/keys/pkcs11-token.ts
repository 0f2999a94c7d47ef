/**
 * A PKCS#11 token, by way of OpenSC's `pkcs11-tool` (Debian package opensc), which needs no compiler on the machine.
 *
 * Invariant: a token locks itself after a few wrong PINs. One that was refused is not given again until its file holds another, whichever
 * workspace asks; so everybody who uses the token goes through one of these, one after another.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { readSecretFile } from '../../files.ts';
import { createTurns } from '../../in-turn.ts';
import { isSameSecret } from '../../same-secret.ts';
import { type KeyProgramEnd, runKeyProgram } from './key-program.ts';
import { type KeyUnavailable, unavailable, unavailableForNow } from './key-provider.ts';

const PIN_VARIABLE = 'RELAY_TOKEN_PIN';
const PIN_REFUSED = /CKR_PIN_[A-Z_]+/;
/** What the tool writes last, whatever the matter was. */
const LAST_WORD = 'Aborting.';

export interface TokenSettings {
  /** Path of the token's PKCS#11 library. */
  readonly module: string;
  readonly tokenLabel: string;
  /** Path of a file with the PIN of the token's user. */
  readonly pinFile: string;
  /** For the library, besides PATH and LANG: `SOFTHSM2_CONF`. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Pkcs11Token {
  /** For people: `the token "relay"`. */
  readonly name: string;
  /** Logs in and does what the tool's arguments say; they are no place for secrets. */
  run(args: readonly string[], input?: Buffer): Promise<{ readonly outcome: 'done'; readonly out: Buffer } | KeyUnavailable>;
}

export interface Pkcs11TokenParts {
  readonly clock: Clock;
  /** Told once when others may read the PIN's file too. */
  readonly warn: (message: string) => void;
}

export function createPkcs11Token({ module, tokenLabel, pinFile, environment }: TokenSettings, { clock, warn }: Pkcs11TokenParts): Pkcs11Token {
  const name = `the token "${tokenLabel}"`;
  const command = ['pkcs11-tool', `--module=${module}`, `--token-label=${tokenLabel}`, '--login', `--pin=env:${PIN_VARIABLE}`];
  const inTurn = createTurns();
  let refusedPin: string | undefined;
  let hasWarned = false;

  const readPin = async (): Promise<string | KeyUnavailable> => {
    const pin = await readSecretFile(pinFile, (message) => {
      if (!hasWarned) warn(message);
      hasWarned = true;
    }).catch((error: unknown) => unavailable(messageOf(error)));
    if (typeof pin !== 'string') return pin;
    if (pin === '') return unavailable(`the PIN's file ${pinFile} is empty`);
    if (pin.includes('\0')) return unavailable(`the PIN's file ${pinFile} holds a byte of zero, which no PIN has`);
    if (refusedPin === undefined || !isSameSecret(hash('sha256', pin), refusedPin)) return pin;
    return unavailable(`${name} refused the PIN in ${pinFile}. It is not given again, lest the token lock itself: put the right one into the file`);
  };

  const run = async (args: readonly string[], input: Buffer): ReturnType<Pkcs11Token['run']> => {
    const pin = await readPin();
    if (typeof pin !== 'string') return pin;
    const variables = { ...environment, [PIN_VARIABLE]: pin };
    const end = await runKeyProgram({ command: [...command, ...args], input, environment: variables, secrets: [pin] }, clock);
    if (end.how === 'ended' && end.code === 0) {
      refusedPin = undefined;
      return { outcome: 'done', out: end.out };
    }
    if (end.how === 'ended' && end.said.some((line) => PIN_REFUSED.test(line))) refusedPin = hash('sha256', pin);
    return failure(name, end);
  };

  return {
    name,
    run: (args, input = Buffer.alloc(0)) => inTurn(() => run(args, input)),
  };
}

function failure(name: string, end: KeyProgramEnd): KeyUnavailable {
  if (end.how === 'too-slow') return unavailableForNow(`${name} did not answer within 10 s`);
  if (end.how === 'failed') return unavailable(`pkcs11-tool, which the package opensc brings, did not reach ${name}: ${end.reason}`);
  const words = end.said.filter((line) => line !== LAST_WORD).at(-1) ?? `pkcs11-tool ended with ${end.code} and did not say why`;
  return unavailable(`${name} did not do it: ${words.replace(/^error: /, '')}`);
}
