/** hapi authentication by TLS client certificate: certificate → fingerprint → agent → may it send? Asked again at every request. */
import type { TLSSocket } from 'node:tls';
import type { Request, ServerAuthScheme } from '@hapi/hapi';
import { type Fingerprint, fingerprintOf } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';
import type { Agent } from '../management-group/agent.ts';
import { type IdentifySettings, identify, identifyFingerprint } from '../management-group/identify.ts';
import type { Registry } from '../management-group/registry.ts';

declare module '@hapi/hapi' {
  interface AuthCredentials {
    /** Set by the `client-certificate` strategy. */
    agent?: Agent;
  }
}

// A connection's certificate does not change; reading it costs more than everything else here.
const certificates = new WeakMap<TLSSocket, { readonly der: Buffer; readonly fingerprint: Fingerprint } | 'none'>();

/** The fingerprint of a connection's client certificate; undefined when it has none. */
export function fingerprintOfConnection(socket: TLSSocket): Fingerprint | undefined {
  const peer = peerOf(socket);
  return peer === 'none' ? undefined : peer.fingerprint;
}

/** The DER of a connection's client certificate; undefined when it has none. */
export function peerCertificate(request: Request): Buffer | undefined {
  const peer = peerOf(request.raw.req.socket as TLSSocket);
  return peer === 'none' ? undefined : peer.der;
}

function peerOf(socket: TLSSocket): { readonly der: Buffer; readonly fingerprint: Fingerprint } | 'none' {
  const known = certificates.get(socket);
  if (known) return known;
  const der = socket.getPeerX509Certificate?.()?.raw;
  const peer = der ? { der, fingerprint: fingerprintOf(der) } : 'none';
  certificates.set(socket, peer);
  return peer;
}

export interface ClientCertificateOptions extends IdentifySettings {
  readonly registry: Registry;
  /** In place of the TLS connection's certificate. */
  readonly peerCertificate?: (request: Request) => Buffer | undefined;
}

/** The scheme `client-certificate`. Refuses before the body is read. */
export const clientCertificateScheme: ServerAuthScheme = (_server, given) => {
  const options = given as unknown as ClientCertificateOptions;
  return {
    authenticate(request, h) {
      const agent = mustBeApproved(mustBeKnown(request, options));
      options.registry.touch(agent);
      return h.authenticated({ credentials: { agent } });
    },
  };
};

/** The agent of a connection's certificate, whatever its state. Throws `relay.agent.no-certificate` and what else `identify` says. */
export function mustBeKnown(request: Request, options: ClientCertificateOptions): Agent {
  const found = identifyPeer(request, options);
  if (!found.known) throw new RelayError(`relay.agent.${found.reason}`, found.message);
  return found.agent;
}

/** Gives back an agent that may send. Throws `relay.agent.pending` or `relay.agent.suspended`. */
export function mustBeApproved(agent: Agent): Agent {
  if (agent.state === 'pending') {
    throw new RelayError(
      'relay.agent.pending',
      `Agent ${agent.agentId} (${agent.hostName}) is not approved yet. An operator approves it with: relay agents approve ${agent.agentId}`,
    );
  }
  if (agent.state === 'suspended')
    throw new RelayError('relay.agent.suspended', `Agent ${agent.agentId} (${agent.hostName}) is suspended: ${agent.stateReason}.`);
  return agent;
}

function identifyPeer(request: Request, options: ClientCertificateOptions): ReturnType<typeof identify> {
  if (options.peerCertificate) return identify(options.registry, options.peerCertificate(request), options);
  const peer = peerOf(request.raw.req.socket as TLSSocket);
  return peer === 'none' ? identify(options.registry, undefined, options) : identifyFingerprint(options.registry, peer.fingerprint, options);
}
