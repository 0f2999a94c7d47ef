import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { CertificateFacts, Fingerprint } from '../../src/authority/x509.ts';
import { silentLogger } from '../../src/logger.ts';
import type { ManagementGroup } from '../../src/management-group/management-group.ts';
import { openManagementGroup } from '../../src/management-group/management-group.ts';
import type { Enrolled } from '../../src/management-group/registry.ts';
import { generateKeyRing, type KeyRing, type LiveKeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { type AgentId, parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
export const PLANT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');
export const START: number = Date.UTC(2026, 10, 23);

export interface GroupRig extends AsyncDisposable {
  readonly path: string;
  readonly clock: ManualClock;
  readonly group: ManagementGroup;
  readonly ring: LiveKeyRing;
  /** Closes the file and opens it again, as a restart does; with these keys, if given. */
  reopen(keys?: KeyRing): ManagementGroup;
}

export async function createGroupRig(): Promise<GroupRig> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'group.sqlite');
  const clock = createManualClock(START);
  const own = newKeyRing();
  const open = (keys: KeyRing): ManagementGroup => openManagementGroup(path, { keys, clock, log: silentLogger });
  let current = open(own);
  return {
    path,
    clock,
    group: current,
    ring: own,
    reopen(keys = own) {
      current.close();
      current = open(keys);
      return current;
    },
    async [Symbol.asyncDispose]() {
      current.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export function newKeyRing(): LiveKeyRing {
  return openKeyRing(JSON.stringify(generateKeyRing()));
}

export function newAgentId(): AgentId {
  return parseAgentId(randomUUID());
}

export function certificate(name: string): CertificateFacts {
  return { fingerprint: name.padEnd(64, '0') as Fingerprint, commonNames: [], notBefore: START, notAfter: START + 90 * 86_400_000 };
}

export function enrolled(agentId: AgentId, more: Partial<Enrolled> = {}): Enrolled {
  return {
    workspaceId: BANK,
    agentId,
    hostName: 'web01.example.org',
    operatingSystem: 'Debian GNU/Linux 12.11',
    certificate: certificate('a'),
    enrolmentKeyId: 'k1',
    state: 'pending',
    stateReason: 'waits',
    ...more,
  };
}
