/**
 * An appliance in a folder: its places below a root, and its services as processes that outlive whoever starts them, known by files with their
 * process ids. What systemd does there by itself (starting again, starting at boot) tests do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { appendFile, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { UpgradeMachine } from '../../src/commands/upgrade.ts';
import { readFileIfAny } from '../../src/files.ts';
import { appliancePlaces } from '../../src/host/places.ts';
import { systemPrograms } from '../../src/host/run-program.ts';
import type { Services } from '../../src/host/services.ts';
import { relayStatus } from '../../src/upgrade/relay-status.ts';
import { pointAt } from '../../src/upgrade/release-folders.ts';
import { eventually } from './eventually.ts';

const JUDGE = fileURLToPath(new URL('./judge-process.ts', import.meta.url));
const STOP_MS = 30_000;
const STEADY_MS = 300;
const POLL_MS = 20;
const SHOWN_LINES = 12;
/** Stands in the log before what a new process of the relay writes. */
export const LIFE = '--- started ---';

export interface Appliance extends UpgradeMachine, AsyncDisposable {
  readonly root: string;
  readonly socket: string;
  /** Writes the relay's configuration: the machine is one from then on. */
  configure(sections: Readonly<Record<string, unknown>>): Promise<void>;
  /** Makes a release that is in `releases` already the one that runs. */
  use(version: string): Promise<void>;
  /** Carries the trial out in a process of its own, which is killed when it is about to do its so-manieth step, counted from 0. */
  judgeUntil(step: number): Promise<void>;
  /** What the processes that carried trials out said they did. */
  steps(): Promise<string[]>;
  /** Everything stops where it is. */
  cutPower(): Promise<void>;
  /** What systemd starts at boot, but the process that carries trials out. */
  boot(): Promise<void>;
  pidOf(unit: string): Promise<number | undefined>;
  log(unit: string): Promise<string>;
}

/** The appliance whose file system begins at `root`; any process may have it. */
export function applianceAt(root: string): Appliance {
  const places = appliancePlaces(root);
  const socket = join(places.state, 'relay.sock');
  const pidFile = (unit: string): string => join(root, 'run', `${unit}.pid`);
  const logFile = (unit: string): string => join(root, 'var', 'log', `${unit}.log`);

  const pidOf = async (unit: string): Promise<number | undefined> => {
    const pid = Number((await readFileIfAny(pidFile(unit)))?.toString());
    return Number.isInteger(pid) && pid > 0 && (await isAlive(pid)) ? pid : undefined;
  };
  const launch = async (unit: string, command: string, args: readonly string[]): Promise<void> => {
    await mkdir(dirname(pidFile(unit)), { recursive: true });
    await mkdir(dirname(logFile(unit)), { recursive: true });
    const log = openSync(logFile(unit), 'a', 0o600);
    const child = spawn(command, [...args], { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    await once(child, 'spawn');
    await writeFile(pidFile(unit), String(child.pid));
    child.unref();
  };
  const lastLines = async (unit: string): Promise<string> =>
    ((await readFileIfAny(logFile(unit)))?.toString() ?? '').trim().split('\n').slice(-SHOWN_LINES).join('\n');
  const launchRelay = async (): Promise<void> => {
    // Two that start it at once start one, as with systemd.
    const lock = join(root, 'relay.lock');
    await eventually('nobody else starts the relay', () =>
      mkdir(lock).then(
        () => true,
        () => false,
      ),
    );
    if ((await pidOf('relay')) === undefined) {
      await appendFile(logFile('relay'), `${LIFE}\n`).catch(() => {});
      await launch('relay', join(places.current, 'bin', 'node'), [join(places.current, 'app', 'src', 'main.ts'), 'start', '--config', places.configuration]);
    }
    await rm(lock, { recursive: true });
  };
  const startRelay = async (): Promise<void> => {
    await launchRelay();
    const pid = await pidOf('relay');
    // As with Type=notify: it is started once it serves, and a start that hangs is waited for.
    while ((await relayStatus(socket))?.pid !== pid || pid === undefined) {
      if ((await pidOf('relay')) === undefined) throw new Error(`relay.service failed. Its last lines:\n${await lastLines('relay')}`);
      await pause(POLL_MS);
    }
  };
  const services: Services = {
    async start(unit) {
      if (unit === 'relay') return await startRelay();
      await launch(unit, process.execPath, [JUDGE, root]);
    },
    async stop(unit) {
      const pid = await pidOf(unit);
      if (pid === undefined) return;
      process.kill(pid, 'SIGTERM');
      await eventually(`${unit} ends`, async () => !(await isAlive(pid)), STOP_MS).catch(() => process.kill(pid, 'SIGKILL'));
      await rm(pidFile(unit), { force: true });
    },
    async restart(unit) {
      await services.stop(unit);
      await services.start(unit);
    },
    isActive: async (unit) => (await pidOf(unit)) !== undefined,
    hasFailed: async (unit) => (await pidOf(unit)) === undefined,
    lastLines,
  };

  const end = async (unit: string): Promise<void> => {
    const pid = await pidOf(unit);
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await eventually(`${unit} is gone`, async () => !(await isAlive(pid)));
  };

  return {
    root,
    socket,
    places,
    programs: systemPrograms,
    services,
    service: {
      start: () => services.start('relay'),
      stop: () => services.stop('relay'),
      isActive: () => services.isActive('relay'),
      lastLines: () => services.lastLines('relay'),
    },
    pace: { elapsed: () => performance.now(), pause },
    steadyMs: STEADY_MS,
    async configure(sections) {
      for (const folder of [places.state, places.releases, places.releaseKeys, dirname(places.trial)]) await mkdir(folder, { recursive: true });
      await writeFile(places.marker, '');
      await writeFile(places.configuration, JSON.stringify({ data: places.state, domain: 'relay.test', ...sections }), { mode: 0o600 });
    },
    use: (version) => pointAt(places.current, join(places.releases, version)),
    async judgeUntil(step) {
      const child = spawn(process.execPath, [JUDGE, root, String(step)], { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (piece: string) => {
        said += piece;
      });
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      if (signal !== 'SIGKILL') throw new Error(`the judge ended with ${code ?? signal} and was not killed: ${said}`);
    },
    steps: async () => ((await readFileIfAny(stepsFile(root)))?.toString() ?? '').split('\n').filter((line) => line !== ''),
    async cutPower() {
      for (const unit of ['relay-trial', 'relay']) await end(unit);
    },
    boot: launchRelay,
    pidOf,
    log: async (unit) => (await readFileIfAny(logFile(unit)))?.toString() ?? '',
    async [Symbol.asyncDispose]() {
      for (const unit of ['relay-trial', 'relay']) await end(unit);
    },
  };
}

/** Where each step of a trial is noted before it is done. */
export function stepsFile(root: string): string {
  return join(root, 'var', 'lib', 'relay-upgrade', 'steps.log');
}

/** The folder of the release that judges, by its link. */
export async function judgingRelease(root: string): Promise<string> {
  return await realpath(join(root, 'var', 'lib', 'relay-upgrade', 'judge'));
}

// A process that has ended but that nobody has waited for is not alive.
async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
