import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfiguration } from '../../src/configuration/load.ts';
import type { CreatedKey } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { type Observers, startObservers } from '../../src/demo/observing.ts';
import { DEMO_WORKSPACE, NEIGHBOUR_WORKSPACE, type Site, startSite } from '../../src/demo/site.ts';
import { createLogger } from '../../src/logger.ts';

const AGENTS = ['web01', 'db01', 'app01'];
const NEIGHBOURS = ['press01'];
/** Each time takes this process a moment, for all agents are in it. */
const COLLECT_EVERY_MS = 2_000;
const RETRY_EVERY_MS = 3_000;
const RETRY_WINDOW_MS = 15_000;
const SCRAPES_WITHIN_MS = 20_000;
/** A scrape may take as long as this; on a busy machine, with everything in this one process, a second is too short. */
export const SCRAPE_EVERY_MS = 2_000;

/** How long each part of the story lasts, in milliseconds. */
export interface Scenario {
  readonly flowMs: number;
  /** Longer than the retry window of 15 seconds, the data is held. */
  readonly outageMs: number;
  readonly drainMs: number;
}

export interface Played {
  readonly from: Date;
  readonly to: Date;
}

/**
 * Plays an outage on a demo site in `folder`, with Prometheus looking on, and calls `draw` while all is still there. One of two workspaces is cut off;
 * an agent waits for approval, some requests are refused, and the other workspace does not like one batch. `say` is told what happens.
 */
export async function playScenario<T>(
  folder: string,
  scenario: Scenario,
  say: (text: string) => void,
  draw: (observers: Observers, played: Played) => Promise<T>,
): Promise<T> {
  await using started = new AsyncDisposableStack();
  const pace = { retryEveryMs: RETRY_EVERY_MS, retryWindowMs: RETRY_WINDOW_MS, collectEveryMs: COLLECT_EVERY_MS };
  const log = createLogger('info', createWriteStream(join(folder, 'preview.log')));
  const site = await startSite({ folder, agents: AGENTS, neighbours: NEIGHBOURS, ...pace, version: 'preview', log });
  started.defer(() => site.stop());
  const observers = await startObservers(site, join(folder, 'prometheus'), SCRAPE_EVERY_MS);
  started.defer(() => observers.stop());
  await untilScraped(observers);
  const from = new Date();

  say('Data flows.');
  await pause(scenario.flowMs / 2);
  await disturb(site, folder);
  await pause(scenario.flowMs / 2);
  say('The line is cut.');
  await site.line.cut();
  await pause(scenario.outageMs);
  say('The line is mended.');
  await site.line.mend();
  await pause(scenario.drainMs);
  return await draw(observers, { from, to: new Date() });
}

async function untilScraped({ prometheus }: Observers): Promise<void> {
  const deadline = performance.now() + SCRAPES_WITHIN_MS;
  while ((await prometheus.query('up == 1')).length < 3 && performance.now() < deadline) await pause(200);
}

async function disturb(site: Site, folder: string): Promise<void> {
  await site.workspace.setFault({ mode: 'status', status: 400, workspace: NEIGHBOUR_WORKSPACE, times: 2 });
  const relay = `https://127.0.0.1:${site.relay.status().intakePort}`;
  const { control } = await loadConfiguration({ file: site.configurationFile, env: {} });
  const { secret } = await ask<CreatedKey>(control.socket, 'POST', '/enrolment-keys', { name: 'by-hand', workspaceId: DEMO_WORKSPACE });
  const trust = { fingerprint: site.relay.status().rootFingerprint };
  await enrolAgent({ folder: join(folder, 'newcomer'), relay, workspaceId: DEMO_WORKSPACE, key: secret, trust, hostName: 'newcomer', clock: systemClock });
  const ca = await readFile(join(folder, 'agents', AGENTS[0] ?? '', 'root.pem'));
  for (const path of ['/OperationalData.svc/PostJsonDataItems', '/OperationalData.svc/PostJsonDataItems', '/nowhere'])
    await sendAsStranger(`${relay}${path}`, ca);
}

// Without a certificate: the relay refuses it.
async function sendAsStranger(url: string, ca: Buffer): Promise<void> {
  const sent = request(url, { method: 'POST', ca });
  sent.end('{}');
  const [reply] = await once(sent, 'response');
  reply.resume();
  await once(reply, 'end');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
