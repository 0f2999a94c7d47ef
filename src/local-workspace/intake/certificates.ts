import type { DatabaseSync } from 'node:sqlite';
import type { Fingerprint } from '../../authority/x509.ts';
import { type AgentId, parseAgentId } from '../../workspace/workspace-id.ts';

export interface Registration {
  readonly fingerprint: Fingerprint;
  readonly agentId: AgentId;
  readonly hostName: string;
  readonly operatingSystem: string;
  /** Milliseconds since 1970. */
  readonly registeredAt: number;
}

/** The certificates that may send to one workspace. An agent may have several: the old one goes on working after a renewal. */
export interface Certificates {
  find(fingerprint: Fingerprint): Registration | undefined;
  /** Durable when it returns. A certificate that is known already stays as it is. */
  register(registration: Registration): void;
}

const SELECT =
  'SELECT fingerprint, agent_id AS agentId, host_name AS hostName, operating_system AS operatingSystem, registered_at AS registeredAt FROM certificates';

/** Kept in the workspace's own database, so that no other workspace can know them. */
export function openCertificates(database: DatabaseSync): Certificates {
  const insert = database.prepare(`
    INSERT INTO certificates (fingerprint, agent_id, host_name, operating_system, registered_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const rows = database.prepare(SELECT).all() as Row[];
  const known = new Map(rows.map(registrationOf).map((registration) => [registration.fingerprint, registration]));

  return {
    find: (fingerprint) => known.get(fingerprint),
    register(registration) {
      if (known.has(registration.fingerprint)) return;
      const { fingerprint, agentId, hostName, operatingSystem, registeredAt } = registration;
      insert.run(fingerprint, agentId, hostName, operatingSystem, new Date(registeredAt).toISOString());
      known.set(fingerprint, registration);
    },
  };
}

type Row = Record<'fingerprint' | 'agentId' | 'hostName' | 'operatingSystem' | 'registeredAt', string>;

function registrationOf({ fingerprint, agentId, hostName, operatingSystem, registeredAt }: Row): Registration {
  return { fingerprint: fingerprint as Fingerprint, agentId: parseAgentId(agentId), hostName, operatingSystem, registeredAt: Date.parse(registeredAt) };
}
