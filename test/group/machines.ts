/** Agents of ours in this process that send without pause, and remember what was acknowledged. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Agent, createAgent } from '../../src/agent/agent.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { readConfiguration } from '../../src/agent/instructions.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import type { AgentId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { BANK } from '../support/site.ts';
import type { GroupRelay, TwoRelays } from './two-relays.ts';

const SENDING = { heartbeatMs: 150, performanceMs: 0, systemLogMs: 0 };

export interface SendingAgent extends AsyncDisposable {
  readonly agentId: AgentId;
  readonly name: string;
  /** Ids of the batches that were acknowledged. */
  acknowledged(): ReadonlySet<string>;
  /** The relays that it knows, as its own prefers none. */
  relays(): Promise<readonly string[]>;
  /** Begins anew, as after a start of its machine: nothing counts as acknowledged yet. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Enrols at one relay and sends to it. Only the addresses given are known to it at first. */
export async function startSending(site: TwoRelays, name: string, at: GroupRelay, key: string): Promise<SendingAgent> {
  const folder = join(site.folder, `agent-${name}`);
  const trust = { root: await readFile(site.one.rootFile, 'utf8') };
  const outcome = await enrolAgent({ folder, relay: at.address, workspaceId: BANK, key, trust, hostName: name, clock: systemClock });
  if (outcome.outcome === 'refused') throw new Error(`${name} was refused: ${outcome.message}`);
  let agent = agentIn(folder);
  await agent.start();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= agent.stop();
    return stopped;
  };
  return {
    agentId: outcome.settings.agentId,
    name,
    acknowledged: () => agent.stats().acknowledgedIds,
    relays: async () => (await readConfiguration(folder))?.relays ?? [],
    async restart() {
      await agent.stop();
      agent = agentIn(folder);
      await agent.start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function agentIn(folder: string): Agent {
  return createAgent({ folder, log: silentLogger, clock: systemClock, collect: SENDING, rememberAcknowledged: true });
}

/** Waits until each has sent so many more batches, and knows both relays. */
export async function untilAllSend(agents: readonly SendingAgent[], more: number): Promise<void> {
  const before = new Map(agents.map((agent) => [agent, agent.acknowledged().size]));
  for (const agent of agents) {
    await eventually(`${agent.name} sends`, () => agent.acknowledged().size >= (before.get(agent) ?? 0) + more);
    await eventually(`${agent.name} knows both relays`, async () => (await agent.relays()).length === 2);
  }
}
