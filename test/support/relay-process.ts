/** A relay as an operator runs it: a process of its own on a configuration file. Its ports stay the same over its lives, as on a real machine. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CreatedKey, Status } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { makePrivateFolder } from '../../src/files.ts';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from './eventually.ts';
import { type Ran, type Running, startCommand } from './run-relay.ts';

const START_DEADLINE_MS = 20_000;

/** Sections of the configuration file, laid over the defaults below. */
export type Sections = Readonly<Record<string, unknown>>;

export interface RelayPlace {
  readonly folder: string;
  readonly configFile: string;
  readonly dataFolder: string;
  /** The control socket. */
  readonly socket: string;
  /** The root certificate that agents trust. */
  readonly rootFile: string;
}

export interface RelayProcess extends RelayPlace, AsyncDisposable {
  /** Writes its configuration file, as `start` does: for what is done before the first start. */
  writeConfiguration(): Promise<void>;
  /** Starts it and waits until agents are served, 20 seconds at most unless told. */
  start(deadlineMs?: number): Promise<Status>;
  /** Ends it by a signal and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<Ran>;
  isRunning(): boolean;
  /** Known after the first start. */
  port(): number;
  status(): Promise<Status>;
  /** Makes an enrolment key; its secret in base64. */
  createKey(workspaceId: WorkspaceId, name: string): Promise<string>;
  /** What this life and the ones before it logged. */
  log(): string;
}

/** Prepares a relay in `folder`. Retries are short: every 500 ms, a window of 3 s. */
export async function relayProcess(folder: string, sections: Sections, launcher: readonly string[] = []): Promise<RelayProcess> {
  const place: RelayPlace = {
    folder,
    configFile: join(folder, 'relay.json'),
    dataFolder: join(folder, 'data'),
    socket: join(folder, 'data', 'relay.sock'),
    rootFile: join(folder, 'data', 'authority', 'root.pem'),
  };
  await makePrivateFolder(folder);
  let running: Running | undefined;
  let earlier = '';
  let port = 0;

  const status = (): Promise<Status> => ask<Status>(place.socket, 'GET', '/status');
  const serving = async (life: Running): Promise<Status | undefined> => {
    if (life.hasEnded()) throw new Error(`the relay did not start: ${life.out()} ${life.err()}`);
    const found = await status().catch(() => undefined);
    return found?.pid === life.pid && found.intakePort > 0 ? found : undefined;
  };
  const end = async (signal: NodeJS.Signals): Promise<Ran> => {
    if (!running) throw new Error('the relay was never started');
    const ran = await running.end(signal);
    earlier += running.out();
    running = undefined;
    return ran;
  };

  const writeConfiguration = (): Promise<void> => writeFile(place.configFile, JSON.stringify(configurationOf(place, sections, port)), { mode: 0o600 });

  return {
    ...place,
    writeConfiguration,
    async start(deadlineMs = START_DEADLINE_MS) {
      await writeConfiguration();
      const life = startCommand(['start', '--config', place.configFile], launcher);
      running = life;
      const found = await eventually('the relay serves agents', () => serving(life), deadlineMs);
      port = found.intakePort;
      return found;
    },
    end,
    isRunning: () => running !== undefined && !running.hasEnded(),
    port: () => port,
    status,
    createKey: async (workspaceId, name) => (await ask<CreatedKey>(place.socket, 'POST', '/enrolment-keys', { workspaceId, name })).secret,
    log: () => earlier + (running?.out() ?? ''),
    async [Symbol.asyncDispose]() {
      if (running) await end('SIGKILL');
    },
  };
}

/** The configuration with all defaults of the tests. */
function configurationOf({ dataFolder }: RelayPlace, sections: Sections, port: number): Sections {
  return {
    data: dataFolder,
    domain: 'relay.test',
    managementGroup: { approve: 'all' },
    intake: { address: '127.0.0.1', port },
    metrics: { port: 0 },
    retry: { every: '500ms', window: '3s' },
    ...sections,
  };
}
