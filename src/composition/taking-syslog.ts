import type { Identity } from '../authority/agent-identity.ts';
import type { Status } from '../control/api.ts';
import type { Accept } from '../intake/accept.ts';
import { createSyslogServer } from '../intake/syslog/syslog-server.ts';
import type { Agent } from '../management-group/agent.ts';
import type { Building } from './building.ts';
import type { Trust } from './trust.ts';

/** Syslog over TLS. It does nothing where the configuration keeps it shut. */
export interface TakingSyslog {
  /** Shows another certificate from the next handshake on. */
  useIdentity(identity: Identity): void;
  /** Ends an agent's connections. */
  disconnect(agent: Agent): void;
  /** Listens, where it is enabled. */
  start(): Promise<void>;
  /** Undefined while it is not open. */
  status(): Status['syslog'];
}

export function takeSyslog(building: Building, { server, group, authentication }: Trust, accept: Accept): TakingSyslog {
  const { configuration, clock, random, metrics, component, defer } = building;
  const { handshakeTimeout: handshakeTimeoutMs, maxInflatedSize: maxInflatedBytes } = configuration.intake;
  const options = configuration.senders.syslog;
  const parts = { options, identity: server.current(), authentication, handshakeTimeoutMs, maxInflatedBytes };
  const syslog = options.enabled ? createSyslogServer({ ...parts, accept, clock, random, metrics, log: component('syslog') }) : undefined;
  let port: number | undefined;
  return {
    useIdentity: (identity) => syslog?.useIdentity(identity),
    disconnect: (agent) => syslog?.disconnect(group.registry.certificatesOf(agent).map(({ fingerprint }) => fingerprint)),
    async start() {
      if (!syslog) return;
      port = await syslog.start();
      defer(syslog.stop);
      component('syslog').info({ port }, 'syslog is taken');
    },
    status: () => (syslog && port !== undefined ? { port, open: syslog.open() } : undefined),
  };
}
