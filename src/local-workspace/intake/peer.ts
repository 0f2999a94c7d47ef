import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { renewalDue } from '../../authority/authority.ts';
import { type CertificateFacts, readCertificate } from '../../authority/x509.ts';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';

/** Who is at the other end of a connection, by its client certificate. Only a claim until the certificate is found registered. */
export interface Peer extends CertificateFacts {
  /** DER. */
  readonly certificate: Buffer;
  /** The workspace its first common name claims. */
  readonly workspaceId: WorkspaceId | undefined;
  /** When two thirds of the certificate's life are over, in milliseconds since 1970. */
  readonly renewalDueAt: number;
}

/** Finds the client certificate behind a request; undefined when there is none, or one that cannot be read. */
export type PeerOf = (message: IncomingMessage) => Peer | undefined;

/** DER of the client certificate of a request's TLS connection. */
export function tlsCertificateOf(message: IncomingMessage): Buffer | undefined {
  return message.socket instanceof TLSSocket ? message.socket.getPeerX509Certificate()?.raw : undefined;
}

/** Reads each connection's certificate once. */
export function createPeerOf(certificateOf: (message: IncomingMessage) => Buffer | undefined = tlsCertificateOf): PeerOf {
  const known = new WeakMap<object, Peer | undefined>();
  return (message) => {
    if (!known.has(message.socket)) known.set(message.socket, readPeer(certificateOf(message)));
    return known.get(message.socket);
  };
}

function readPeer(certificate: Buffer | undefined): Peer | undefined {
  const facts = certificate && readCertificate(certificate);
  if (!facts) return undefined;
  const workspaceId = readWorkspaceId(facts.commonNames[0] ?? '');
  return { ...facts, certificate, workspaceId, renewalDueAt: renewalDue(new X509Certificate(certificate)) };
}
