import { isAbsolute } from 'node:path';
import { z } from 'zod';

const MOST_CHARS = 1_024;
const MOST_LABEL_CHARS = 128;
const MOST_ARGUMENTS = 64;
const MOST_VARIABLES = 16;

/** Which key wraps a workspace's data key. There are no secrets in it; paths are absolute. */
export type KeySettings =
  /** The service's own. */
  | { readonly kind: 'service' }
  /** A file that the customer owns. */
  | { readonly kind: 'file'; readonly path: string }
  /** A program of the customer's: its path and its arguments. */
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | TokenKeySettings;

/** An RSA key on a PKCS#11 token. */
export interface TokenKeySettings {
  readonly kind: 'pkcs11';
  /** The token's library. */
  readonly module: string;
  readonly tokenLabel: string;
  readonly keyLabel: string;
  readonly pinFile: string;
  /** `sha1` unless given. */
  readonly oaepHash: 'sha1' | 'sha256';
  /** For the library: `SOFTHSM2_CONF`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How a workspace's data key is kept. */
export interface KeysSettings {
  /** The service's own unless given. */
  readonly key: KeySettings;
  /** Days (1 to 3,650, 90 unless given) after which another key is to wrap it. */
  readonly rotateEvery: number;
  /** Seconds (5 to 60, 30 unless given) between two looks at whether its key can still be had. */
  readonly checkEvery: number;
}

const text = z
  .string()
  .min(1)
  .max(MOST_CHARS)
  .refine((value) => !/\p{Cc}/u.test(value), 'must have no control characters');
const path = text.refine(isAbsolute, 'must be an absolute path');
const label = text.max(MOST_LABEL_CHARS);
const command = z
  .array(text)
  .min(1)
  .max(MOST_ARGUMENTS)
  .refine(([program]) => program !== undefined && isAbsolute(program), 'must begin with the absolute path of a program');
const environment = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), text)
  .default({})
  .refine((found) => Object.keys(found).length <= MOST_VARIABLES, `must be at most ${MOST_VARIABLES} variables`);

const key = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('service') }),
  z.strictObject({ kind: z.literal('file'), path }),
  z.strictObject({ kind: z.literal('command'), command }),
  z.strictObject({
    kind: z.literal('pkcs11'),
    module: path,
    tokenLabel: label,
    keyLabel: label,
    pinFile: path,
    oaepHash: z.enum(['sha1', 'sha256']).default('sha1'),
    environment,
  }),
]);

/** Reads `KeysSettings` and fills in the defaults. */
export const keysSettings: z.ZodType<KeysSettings> = z.strictObject({
  key: key.default({ kind: 'service' }),
  rotateEvery: z.int().min(1).max(3_650).default(90),
  checkEvery: z.int().min(5).max(60).default(30),
});
