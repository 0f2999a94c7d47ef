import { join } from 'node:path';
import { askControl } from '../../src/local-workspace/control/control-client.ts';
import { openCertificates } from '../../src/local-workspace/intake/certificates.ts';
import { openDatabase } from '../../src/local-workspace/intake/database.ts';
import type { DataCount } from '../../src/local-workspace/intake/upload.ts';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import type { FleetAgent } from './fleet.ts';
import { startRelayCommand } from './program.ts';

const DRAIN_TIMEOUT_MS = 120_000;

/** The local workspace as the benchmark's far end: it counts what comes and keeps nothing. */
export interface Sink {
  readonly pid: number;
  readonly port: number;
  /** File with the root certificate of its server. */
  readonly rootFile: string;
  /** File with the workspace's shared key. */
  readonly keyFile: string;
  /** Batches taken so far, repeated ones too. */
  taken(): Promise<number>;
  /** Waits until it has this many different batches, two minutes at most; returns the ids of all it has. */
  distinct(atLeast: number): Promise<ReadonlySet<string>>;
  setFault(mode: 'none' | 'down'): Promise<void>;
  stop(): Promise<void>;
}

interface StartedLine {
  readonly port: number;
  readonly root: string;
  readonly keyFiles: Readonly<Record<string, string>>;
}

/** Starts it in a folder of its own, with senders that it knows already. */
export async function startSink(dataFolder: string, workspaceId: WorkspaceId, known: readonly FleetAgent[]): Promise<Sink> {
  await registerSenders(dataFolder, workspaceId, known);
  const args = ['local-workspace', 'start', '--data', dataFolder, '--port', '0', '--workspace', workspaceId, '--sink', '--json'];
  const { line, pid, stop } = await startRelayCommand<StartedLine>(args, 'keyFiles');
  const count = async (member: 'batches' | 'distinctBatches'): Promise<number> => {
    const rows = (await askControl(dataFolder, { method: 'GET', path: '/count' })) as readonly DataCount[];
    return rows.reduce((sum, row) => sum + row[member], 0);
  };
  return {
    pid,
    port: line.port,
    rootFile: line.root,
    keyFile: line.keyFiles[workspaceId] ?? join(dataFolder, 'keys'),
    taken: () => count('batches'),
    async distinct(atLeast) {
      // What did not come in time shows in the ids.
      await eventually('every batch at the far end', async () => (await count('distinctBatches')) >= atLeast, DRAIN_TIMEOUT_MS).catch(() => {});
      return new Set((await askControl(dataFolder, { method: 'GET', path: `/batch-ids?workspace=${workspaceId}` })) as readonly string[]);
    },
    async setFault(mode) {
      await askControl(dataFolder, { method: 'POST', path: '/fault', body: { mode } });
    },
    stop,
  };
}

async function registerSenders(dataFolder: string, workspaceId: WorkspaceId, known: readonly FleetAgent[]): Promise<void> {
  const database = await openDatabase(dataFolder, workspaceId);
  try {
    const certificates = openCertificates(database);
    for (const { agentId, certificate } of known) {
      const { fingerprint, notBefore } = certificate;
      certificates.register({ fingerprint, agentId, hostName: 'proxy', operatingSystem: 'Linux', registeredAt: notBefore });
    }
  } finally {
    database.close();
  }
}
