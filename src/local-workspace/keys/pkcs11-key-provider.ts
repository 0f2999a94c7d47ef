/**
 * Wraps by an RSA key on a PKCS#11 token: by its public half in this process, unwrapped on the token, which its private half never leaves.
 * RSA-OAEP (RFC 8017): with SHA-1 unless told, the one hash for it that SoftHSM 2.6 has; OAEP does not lean on what is broken of SHA-1.
 * Layout of what is wrapped: hash (1 byte: 1 SHA-1, 2 SHA-256) · RSA ciphertext.
 */
import { constants, createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto';
import { type UnwrappedElsewhere, unwrapEnvelope, type WrappedElsewhere, wrapInEnvelope } from './key-envelope.ts';
import { type KeyProvider, type KeyUnavailable, unavailable } from './key-provider.ts';
import type { Pkcs11Token } from './pkcs11-token.ts';
import { type TokenKey, tokenKeysOf } from './token-keys.ts';

const LEAST_RSA_BITS = 2048;

export type OaepHash = 'sha1' | 'sha256';

const HASHES: readonly { readonly mark: number; readonly hash: OaepHash; readonly args: readonly string[] }[] = [
  { mark: 1, hash: 'sha1', args: ['--hash-algorithm=SHA-1', '--mgf=MGF1-SHA1'] },
  { mark: 2, hash: 'sha256', args: ['--hash-algorithm=SHA256', '--mgf=MGF1-SHA256'] },
];

export interface Pkcs11Key {
  /** CKA_LABEL of a key pair. Several may have it: that with the highest CKA_ID is the newest. */
  readonly keyLabel: string;
  /** For what is wrapped from now on. */
  readonly oaepHash: OaepHash;
}

export function createPkcs11KeyProvider(token: Pkcs11Token, { keyLabel, oaepHash }: Pkcs11Key): KeyProvider {
  const name = `the key "${keyLabel}" on ${token.name}`;

  const newest = async (): Promise<({ outcome: 'known' } & TokenKey) | KeyUnavailable> => {
    const listed = await token.run(['--list-objects', '--type=pubkey']);
    if (listed.outcome !== 'done') return listed;
    const key = tokenKeysOf(listed.out.toString(), keyLabel).at(-1);
    return key ? { outcome: 'known', ...key } : unavailable(`${token.name} has no public key with the label "${keyLabel}" and an id`);
  };

  const publicKey = async ({ id }: TokenKey): Promise<KeyObject | KeyUnavailable> => {
    const read = await token.run(['--read-object', '--type=pubkey', `--id=${id}`]);
    if (read.outcome !== 'done') return read;
    const key = rsaKeyOf(read.out);
    const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
    return key && bits >= LEAST_RSA_BITS ? key : unavailable(`${name} (id ${id}) is no RSA key of ${LEAST_RSA_BITS} bits or more`);
  };

  const encrypt = async (plain: Buffer): Promise<WrappedElsewhere> => {
    const found = await newest();
    if (found.outcome !== 'known') return found;
    const key = await publicKey(found);
    if ('outcome' in key) return key;
    const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plain);
    const mark = HASHES.find(({ hash }) => hash === oaepHash)?.mark ?? 0;
    return { outcome: 'wrapped', keyId: found.id, wrapped: Buffer.concat([Buffer.of(mark), wrapped]) };
  };

  const decrypt = async (wrapped: Buffer, id: string): Promise<UnwrappedElsewhere> => {
    const args = HASHES.find(({ mark }) => mark === wrapped[0])?.args;
    if (!args) return { outcome: 'damaged' };
    const done = await token.run(['--decrypt', '--mechanism=RSA-PKCS-OAEP', ...args, `--id=${id}`], wrapped.subarray(1));
    return done.outcome === 'done' ? { outcome: 'unwrapped', plain: done.out } : done;
  };

  return {
    kind: 'pkcs11',
    name,
    wrap: (plain, context) => wrapInEnvelope(plain, context, encrypt),
    unwrap: (wrapped, context) => unwrapEnvelope(wrapped, context, (key) => decrypt(key, wrapped.keyId)),
    async currentKeyId() {
      const found = await newest();
      return found.outcome === 'known' ? { outcome: 'known', keyId: found.id } : found;
    },
  };
}

function rsaKeyOf(der: Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}
