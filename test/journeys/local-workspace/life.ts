/** A local workspace as a process of its own, which is killed and started again on the same folder. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { makePrivateFolder } from '../../../src/files.ts';
import { askControl, type ControlRequest } from '../../../src/local-workspace/control/control-client.ts';
import type { Listening } from '../../../src/local-workspace/local-workspace.ts';
import { BANK, keyOf, type TestAgent, temporaryFolder } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { type Running, startCommand } from '../../support/run-relay.ts';
import type { Place } from './place.ts';
import { agentOf } from './senders.ts';

export interface Life extends Pick<Place, 'dataFolder' | 'listening' | 'clock' | 'operator'> {
  /** What a query gives to the operator. */
  rows(text: string): Promise<unknown[][]>;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** What all of its processes wrote to standard error. */
  err(): string;
}

/** The bank's workspace in a folder of its own, and an agent of it; killed after the test. `more`: further options of its start. */
export async function startLife(t: TestContext, more: readonly string[] = []): Promise<{ readonly life: Life; readonly agent: TestAgent }> {
  // In this order: what runs is killed before its folder is removed.
  t.after(() => life.kill());
  const life = await prepareLife(await temporaryFolder(t), more);
  await life.start();
  return { life, agent: await agentOf(life, BANK) };
}

async function prepareLife(dataFolder: string, more: readonly string[]): Promise<Life> {
  let running: Running | undefined;
  let listening: Listening | undefined;
  let earlier = '';
  const keys = join(dataFolder, 'keys');
  await makePrivateFolder(keys);
  await writeFile(join(keys, `${BANK}.key`), keyOf(BANK), { mode: 0o600 });
  const operator = (method: ControlRequest['method'], path: string, body?: unknown): Promise<unknown> =>
    askControl(dataFolder, { method, path, ...(body === undefined ? {} : { body }) });

  return {
    dataFolder,
    clock: systemClock,
    operator,
    listening() {
      if (!listening) throw new Error('it does not run');
      return listening;
    },
    async rows(text) {
      const answer = await operator('POST', `/v1/workspaces/${BANK}/query`, { query: text });
      // Nothing is answered for a workspace without data.
      return (answer as { readonly tables: readonly [{ readonly rows: unknown[][] }] } | undefined)?.tables[0].rows ?? [];
    },
    async start() {
      const started = startCommand(['local-workspace', 'start', '--data', dataFolder, '--workspace', BANK, '--port', '0', '--json', ...more]);
      running = started;
      const said = await eventually('it listens', () => {
        if (started.hasEnded()) throw new Error(`it ended: ${started.err()}`);
        return started.out().includes('\n') && (JSON.parse(started.out()) as { url: string; port: number; root: string });
      });
      listening = { port: said.port, url: said.url, rootPath: said.root, rootPem: await readFile(said.root, 'utf8') };
    },
    async kill() {
      const ending = running;
      running = undefined;
      const { err = '' } = (await ending?.end('SIGKILL')) ?? {};
      earlier += err;
    },
    err: () => earlier + (running?.err() ?? ''),
  };
}

/** Words that were acknowledged, and those whose sender has had no answer. */
export interface Sent {
  readonly acknowledged: string[];
  readonly unanswered: string[];
}

/** Sends words, each in an upload of its own, until the other side is gone. */
export async function sendUntilGone(send: (word: string) => Promise<{ readonly status: number }>, name: string, sent: Sent): Promise<void> {
  for (let at = 0; ; at += 1) {
    const word = `${name}-${at}-`;
    try {
      const { status } = await send(word);
      if (status !== 200) throw new Error(`${word} was answered with ${status}`);
      sent.acknowledged.push(word);
    } catch (error) {
      sent.unanswered.push(word);
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return;
    }
  }
}

/** What is wrong with how often the words are there: each acknowledged one must be once, the others once at most. */
export function wrongCounts(counted: readonly (readonly unknown[])[], { acknowledged, unanswered }: Sent): string[] {
  const counts = new Map(counted.map(([word, count]) => [String(word), Number(count)]));
  const wrong = acknowledged.filter((word) => counts.get(word) !== 1).map((word) => `${word} is there ${counts.get(word) ?? 0} times`);
  const known = new Set([...acknowledged, ...unanswered]);
  const more = [...counts].filter(([word, count]) => count > 1 || !known.has(word)).map(([word, count]) => `${word} is there ${count} times`);
  return [...new Set([...wrong, ...more])];
}
