import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createAgentIdentity, type Identity } from '../../src/authority/agent-identity.ts';
import { type CertificateFacts, fromPem, readCertificate } from '../../src/authority/x509.ts';
import { systemClock } from '../../src/clock.ts';
import { makePrivateFolder } from '../../src/files.ts';
import { silentLogger } from '../../src/logger.ts';
import { openManagementGroup } from '../../src/management-group/management-group.ts';
import { generateKeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { type AgentId, parseAgentId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';

const CERTIFICATE_DAYS = 2;

/** An agent of the benchmark, with a certificate of its own. */
export interface FleetAgent {
  readonly agentId: AgentId;
  readonly identity: Identity;
  readonly certificate: CertificateFacts;
}

export async function createFleet(workspaceId: WorkspaceId, agents: number): Promise<readonly FleetAgent[]> {
  const fleet: FleetAgent[] = [];
  for (let made = 0; made < agents; made += 1) fleet.push(await createFleetAgent(workspaceId));
  return fleet;
}

export async function createFleetAgent(workspaceId: WorkspaceId): Promise<FleetAgent> {
  const agentId = parseAgentId(randomUUID());
  const identity = await createAgentIdentity(workspaceId, agentId, Date.now(), CERTIFICATE_DAYS);
  const certificate = readCertificate(fromPem(identity.certificate));
  if (!certificate) throw new Error('a certificate made for the benchmark cannot be read back');
  return { agentId, identity, certificate };
}

/** Enrols the agents, approved, with the relay of this data folder; it must not run. */
export async function enrolFleet(dataFolder: string, workspaceId: WorkspaceId, fleet: readonly FleetAgent[]): Promise<void> {
  await makePrivateFolder(dataFolder);
  // The keys seal enrolment keys only, and none is made here.
  const keys = openKeyRing(JSON.stringify(generateKeyRing()));
  const group = openManagementGroup(join(dataFolder, 'management-group.sqlite'), { keys, clock: systemClock, log: silentLogger });
  try {
    for (const [at, { agentId, certificate }] of fleet.entries()) {
      const report = { workspaceId, agentId, hostName: `node${at}.example.org`, operatingSystem: 'Linux' };
      group.registry.enrol({ ...report, certificate, enrolmentKeyId: 'benchmark', state: 'approved', stateReason: 'benchmark' });
    }
  } finally {
    group.close();
  }
}
