import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { RelayError } from '../../errors.ts';
import { readSecretFile } from '../../files.ts';
import type { SignInOptions } from '../../workspace/sign-in-options.ts';

/** What the relay shows the sign-in service. */
export type Credential =
  | { readonly method: 'client-secret'; readonly secret: string }
  /** PEM of the certificate and of its key. */
  | { readonly method: 'client-certificate'; readonly pem: string }
  | { readonly method: 'managed-identity' };

export interface FoundCredential {
  readonly credential: Credential;
  /** Another one when the content is another one. */
  readonly version: string;
  /** Until when it is good, in milliseconds since 1970, where it says so. */
  readonly endsAt?: number | undefined;
}

/** The file that holds a credential. */
export interface CredentialFile {
  /** As it is at this moment; read again only when the file was touched. Throws `relay.secret.unreadable` and `relay.sign-in.bad-credential`. */
  read(): Promise<FoundCredential>;
}

/** Where the options say the credential is. */
export function createCredentialFile(options: SignInOptions, warn: (message: string) => void): CredentialFile {
  const { method } = options;
  if (method === 'managed-identity') return { read: () => Promise.resolve({ credential: { method }, version: method }) };
  const path = method === 'client-secret' ? options.secretFile : options.certificateFile;
  if (path === undefined) return { read: () => Promise.reject(bad(`The method ${method} needs a file, and none is given.`)) };
  let last: { readonly stamp: string; readonly found: FoundCredential } | undefined;
  return {
    async read() {
      const stamp = await stampOf(path);
      if (last?.stamp === stamp && stamp !== '') return last.found;
      const content = await readSecretFile(path, warn);
      const version = createHash('sha256').update(content).digest('base64url');
      const found = last?.found.version === version ? last.found : { ...understand(method, content, path), version };
      last = { stamp, found };
      return found;
    },
  };
}

// Empty when there is no file: reading it then says why.
async function stampOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ') : '';
}

function understand(method: 'client-secret' | 'client-certificate', content: string, path: string): Omit<FoundCredential, 'version'> {
  if (content === '') throw bad(`The file ${path} is empty. Put the application's ${method === 'client-secret' ? 'secret' : 'certificate and key'} into it.`);
  if (method === 'client-secret') return { credential: { method, secret: content } };
  const certificate = certificateIn(content, path);
  const key = keyIn(content, path);
  if (key.asymmetricKeyType !== 'rsa') throw bad(`The key in ${path} is of the type ${key.asymmetricKeyType}; the sign-in service takes RSA keys only.`);
  if (!certificate.checkPrivateKey(key))
    throw bad(`The first certificate in ${path} does not belong to the key beside it. Put the application's own certificate first.`);
  return { credential: { method, pem: content }, endsAt: Date.parse(certificate.validTo) };
}

function certificateIn(content: string, path: string): X509Certificate {
  try {
    return new X509Certificate(content);
  } catch {
    throw bad(`The file ${path} holds no certificate that can be read. It must hold the application's certificate and its private key, both as PEM.`);
  }
}

function keyIn(content: string, path: string): KeyObject {
  try {
    return createPrivateKey(content);
  } catch {
    throw bad(`The file ${path} holds no private key that can be read: PEM, without a password.`);
  }
}

function bad(message: string): RelayError {
  return new RelayError('relay.sign-in.bad-credential', message);
}
