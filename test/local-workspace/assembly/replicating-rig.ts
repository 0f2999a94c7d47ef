import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { replicaCommand } from '../../../src/commands/local-workspace-replica.ts';
import { askControl } from '../../../src/local-workspace/control/control-client.ts';
import type { Listening } from '../../../src/local-workspace/local-workspace.ts';
import type { ReplicaSettings } from '../../../src/local-workspace/replica/settings.ts';
import { type LocalWorkspaceSettings, readSettings } from '../../../src/local-workspace/settings.ts';
import { BANK, keyOf, type Rig, startRig, temporaryFolder } from '../rig.ts';

const COMMAND = fileURLToPath(new URL('../run-command.ts', import.meta.url));

/** The machine's clock, on which everything waits a tenth of its time. */
export const fastClock: Clock = { now: systemClock.now, after: (ms, action) => systemClock.after(ms / 10, action) };

/** Two disks: a data folder, and a folder that is linked as the replica of BANK. */
export interface TwoDisks {
  readonly dataFolder: string;
  readonly second: string;
  settings(replica?: Partial<ReplicaSettings>, more?: object): LocalWorkspaceSettings;
}

export async function twoDisks(t: TestContext): Promise<TwoDisks> {
  const dataFolder = join(await temporaryFolder(t), 'data');
  const second = join(await temporaryFolder(t), 'second');
  await mkdir(second);
  await command(['link', second, '--data', dataFolder, '--workspace', BANK]);
  return { dataFolder, second, settings: (replica = {}, more = {}) => settingsFor(second, replica, more) };
}

export function settingsFor(second: string, replica: Partial<ReplicaSettings> = {}, more: object = {}): LocalWorkspaceSettings {
  return readSettings({ workspaces: { [BANK]: { replica: { folder: second, ...replica }, ...more } } });
}

/** Runs `relay local-workspace replica …`; what it printed. Throws as it does. */
export async function command(args: readonly string[]): Promise<string> {
  const lines: string[] = [];
  await replicaCommand(askControl, (json) => ({ json, line: (line) => void lines.push(line) })).parseAsync(args, { from: 'user' });
  return lines.join('\n');
}

/** What a site has in a backup, for it is not on the second disk. */
export async function backUpKeys(t: TestContext, dataFolder: string): Promise<string> {
  const backup = join(await temporaryFolder(t), 'keys');
  await cp(join(dataFolder, 'keys'), backup, { recursive: true });
  return backup;
}

/** Destroys the first disk, if it is given, and takes over to a new data folder with the keys of the backup. */
export async function takeOverFrom(t: TestContext, second: string, keys: string, lost?: string): Promise<string> {
  if (lost !== undefined) await rm(lost, { recursive: true });
  const to = join(await temporaryFolder(t), 'data');
  await command(['take-over', second, '--workspace', BANK, '--to', to, '--force']);
  await cp(keys, join(to, 'keys'), { recursive: true });
  return to;
}

export async function rowsOf(dataFolder: string, query: string): Promise<readonly (readonly unknown[])[]> {
  const answer = await askControl(dataFolder, { method: 'POST', path: `/v1/workspaces/${BANK}/query`, body: { query } });
  return (answer as { tables: readonly { rows: readonly (readonly unknown[])[] }[] }).tables[0]?.rows ?? [];
}

/** The syslog messages that there are, in order. */
export async function messagesIn(dataFolder: string): Promise<unknown[]> {
  return (await rowsOf(dataFolder, 'Syslog | project SyslogMessage | sort by SyslogMessage asc')).map(([message]) => message);
}

export function start(t: TestContext, dataFolder: string, settings: LocalWorkspaceSettings, clock?: Clock): Promise<Rig> {
  return startRig(t, { dataFolder, settings }, clock);
}

/** `relay local-workspace start` in a process of its own. */
export interface Started {
  readonly listening: Listening;
  /** As a power cut does. */
  kill(): Promise<void>;
}

export async function startProcess(t: TestContext, dataFolder: string, settings: LocalWorkspaceSettings): Promise<Started> {
  const file = join(await temporaryFolder(t), 'settings.yaml');
  await writeFile(file, JSON.stringify({ workspaces: { [BANK]: { replica: settings.workspaces[BANK]?.replica } } }));
  await mkdir(join(dataFolder, 'keys'), { recursive: true, mode: 0o700 });
  await writeFile(join(dataFolder, 'keys', `${BANK}.key`), keyOf(BANK), { mode: 0o600 });
  const args = [COMMAND, 'start', '--data', dataFolder, '--port', '0', '--workspace', BANK, '--settings', file, '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  t.after(() => kill(child, closed));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { port, url, root } = JSON.parse(line) as { port: number; url: string; root: string };
  return { listening: { port, url, rootPath: root, rootPem: await readFile(root, 'utf8') }, kill: () => kill(child, closed) };
}

async function kill(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await closed;
}
