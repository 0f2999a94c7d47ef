/**
 * Which roots this agent trusts. The relay tells at every check-in, so that its next root is known here before it signs anything.
 *
 * Invariant: roots are taken only from a connection that a trusted root verified, and only when the relay can still be verified by them:
 * no answer, true or false, can leave the agent without its relay.
 */
import { X509Certificate } from 'node:crypto';
import { readCertsOnly } from '../authority/certs-only.ts';
import { toPem } from '../authority/x509.ts';
import { EST_ROOTS_PATH } from '../check-in/est-paths.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { writeRoot } from './agent-folder.ts';
import { USER_AGENT } from './agent-version.ts';
import type { Connection } from './connection.ts';
import type { RelayLink } from './relay-link.ts';

const MOST_ROOTS = 4;

export interface TrustedRoots {
  /** Takes the roots (PEM) that the relay named over `link`, in place of those it named before. Never throws. */
  accept(pems: readonly string[]): Promise<void>;
  /** Asks the relay by EST; a relay that does not know this changes nothing. Throws `relay.agent.unreachable`. */
  ask(): Promise<void>;
}

export function createTrustedRoots({ folder, link, log }: { readonly folder: string; readonly link: RelayLink; readonly log: Logger }): TrustedRoots {
  const keep = async (root: string): Promise<void> => {
    const candidate = link.open(link.identity, root);
    try {
      await askFor(candidate);
    } finally {
      await link.drop(candidate);
    }
    await writeRoot(folder, root);
    link.trust(root);
    log.info('the relay named other roots; they are trusted from now on');
  };
  const accept = async (pems: readonly string[]): Promise<void> => {
    const roots = pems.slice(0, MOST_ROOTS).map(asRoot);
    const root = roots.join('');
    if (root === link.root || root === '' || roots.includes(undefined)) return;
    await keep(root).catch((thrown: unknown) => log.warn(`the roots that the relay named are not trusted, the ones before stay: ${messageOf(thrown)}`));
  };
  return {
    accept,
    async ask() {
      const { status, text } = await askFor(link);
      const ders = status === 200 ? readCertsOnly(Buffer.from(text, 'base64')) : undefined;
      if (ders) await accept(ders.map(toPem));
    },
  };
}

function askFor(connection: Connection): ReturnType<Connection['get']> {
  return connection.get(EST_ROOTS_PATH, { 'user-agent': USER_AGENT });
}

function asRoot(pem: string): string | undefined {
  try {
    const certificate = new X509Certificate(pem);
    return certificate.ca && certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey) ? toPem(certificate.raw) : undefined;
  } catch {
    return undefined;
  }
}
