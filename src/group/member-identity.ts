/** The certificate and key by which a relay is known to the others of its group: one file, sealed where the machine can. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { Identity } from '../authority/agent-identity.ts';
import { fingerprintOf } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import type { OwnSecrets } from '../own-secrets.ts';
import type { MemberCertificate } from './member.ts';

/** How long a certificate is good: a relay that was off for longer joins anew. */
export const MEMBER_CERTIFICATE_LIFE_MS: number = 180 * 86_400_000;

const content = z.object({ certificate: z.string(), privateKey: z.string() });

export interface MemberIdentity {
  /** Undefined before the relay is in a group. */
  current(): Identity | undefined;
  /** Keeps another in its place. */
  replace(identity: Identity): Promise<void>;
  /** Calls `listener` after that. The function returned ends it. */
  onChange(listener: () => void): () => void;
}

/** Reads it from `folder`. Throws `relay.group.unreadable`. */
export async function openMemberIdentity(folder: string, secrets: OwnSecrets): Promise<MemberIdentity> {
  const path = join(folder, 'identity.json');
  const listeners = new Set<() => void>();
  let current = parse(await secrets.read(path), path);
  return {
    current: () => current,
    async replace(identity) {
      await makePrivateFolder(folder);
      await secrets.write(path, JSON.stringify(identity));
      current = identity;
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** How a certificate (PEM) is entered in the list of members. */
export function entryOf(pem: string): MemberCertificate {
  const { raw, validToDate } = new X509Certificate(pem);
  return { fingerprint: fingerprintOf(raw), notAfter: validToDate.getTime() };
}

function parse(text: Buffer | undefined, path: string): Identity | undefined {
  if (text === undefined) return undefined;
  try {
    const identity = content.parse(JSON.parse(text.toString()));
    if (new X509Certificate(identity.certificate).checkPrivateKey(createPrivateKey(identity.privateKey))) return identity;
  } catch {
    // Said below.
  }
  throw new RelayError('relay.group.unreadable', `${path} is damaged. Restore it from a backup, or have this relay join its group anew: relay group join`);
}
