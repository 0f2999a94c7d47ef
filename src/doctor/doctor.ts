/** Looks at everything a relay needs, from its disk to the answer of each workspace, and says what is wrong and what to do. Changes nothing, but for the test upload that is asked for. */
import type { Configuration } from '../configuration/schema.ts';
import type { Status } from '../control/api.ts';
import { ask } from '../control/client.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import { examineRelay } from './examine-relay.ts';
import { examineWorkspace } from './examine-workspace.ts';
import type { Finding } from './finding.ts';
import { machineProbes } from './machine-probes.ts';
import { createProbes } from './probes.ts';
import { uploadTestRecord } from './test-upload.ts';
import { type Outcome, within } from './within.ts';

export interface DoctorOptions {
  readonly configuration: Configuration;
  /** The file it comes from. */
  readonly file: string;
  readonly version: string;
  /** How long a step may take. */
  readonly limitMs: number;
  /** Whether a record is sent to each workspace. */
  readonly upload: boolean;
  /** The workspaces to look at. */
  readonly workspaces: readonly WorkspaceOptions[];
  /** The relay itself is left out. */
  readonly workspacesOnly?: boolean;
  readonly now: () => number;
}

/** All findings, those of the relay first, then of each workspace in the order of the configuration. Workspaces are looked at side by side. */
export async function examine({
  configuration,
  file,
  version,
  limitMs,
  upload,
  workspaces,
  workspacesOnly = false,
  now,
}: DoctorOptions): Promise<readonly Finding[]> {
  const asked = await statusOf(configuration.control.socket, limitMs);
  const status = asked.outcome === 'done' ? asked.value : undefined;
  const relay = workspacesOnly ? [] : examineRelay({ configuration, file, asked, probes: machineProbes, limitMs, now });
  const parts = {
    probes: createProbes(now),
    limitMs,
    now,
    upload: upload ? (workspace: WorkspaceOptions) => uploadTestRecord(workspace, { configuration, version, limitMs }) : undefined,
  };
  const each = workspaces.map((workspace) => {
    const upstream = status?.cache.workspaces.find(({ workspaceId }) => workspaceId === workspace.id)?.upstream;
    return examineWorkspace(workspace, { ...parts, running: { upstream, roads: status?.roads[workspace.id] } });
  });
  return [...(await relay), ...(await Promise.all(each)).flat()];
}

function statusOf(socket: string, limitMs: number): Promise<Outcome<Status>> {
  return within(limitMs, () => ask<Status>(socket, 'GET', '/status'));
}
