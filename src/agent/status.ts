import { X509Certificate } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfiguration, Route } from '../check-in/agent-configuration.ts';
import { type AgentSettings, readEnrolment } from './agent-folder.ts';
import { readConfiguration, routeOfType } from './instructions.ts';
import { readQueueName } from './queue-file.ts';
import { relaysToTry } from './relay-choice.ts';

/** What waits of one data type. */
export interface WaitingFacts {
  readonly dataType: string;
  readonly kind: string;
  readonly batches: number;
  readonly bytes: number;
  /** By which route it will go. */
  readonly route: Route;
  /** When the oldest was queued, ISO 8601. */
  readonly oldest: string;
}

/** The way straight to the workspace. */
export interface DirectFacts {
  readonly endpoint: string;
  readonly proxy?: string | undefined;
}

/** What an agent's data folder tells; the agent may run or not. */
export interface AgentStatus extends AgentSettings {
  /** ISO 8601. */
  readonly certificateExpires: string;
  /** The other relays of its group, as the relay said it last. */
  readonly otherRelays: readonly string[];
  readonly waiting: readonly WaitingFacts[];
  /** How its data reaches the workspace without the relay, as the relay said it last. */
  readonly direct?: DirectFacts | undefined;
  /** Batches put aside because the relay will never take them; the last hundred are kept. */
  readonly refused: number;
  /** Files put aside because they were damaged; the last hundred are kept. */
  readonly unreadable: number;
}

/** Reads an agent's folder. Throws `relay.agent.not-enrolled`. */
export async function readAgentStatus(folder: string): Promise<AgentStatus> {
  const { settings, identity } = await readEnrolment(folder);
  const queue = join(folder, 'queue');
  const told = await readConfiguration(folder).catch(() => undefined);
  const [waiting, refused, unreadable] = await Promise.all([readWaiting(queue, told), namesIn(join(queue, 'refused')), namesIn(join(queue, 'unreadable'))]);
  const certificateExpires = new X509Certificate(identity.certificate).validToDate.toISOString();
  const direct = told?.direct && { endpoint: told.direct.endpoint, proxy: told.direct.proxy };
  const otherRelays = relaysToTry(settings, told?.relays).filter((one) => one !== settings.relay);
  return { ...settings, certificateExpires, otherRelays, direct, waiting, refused: refused.length, unreadable: unreadable.length };
}

async function readWaiting(folder: string, told: AgentConfiguration | undefined): Promise<WaitingFacts[]> {
  const byType = new Map<string, WaitingFacts>();
  for (const file of (await namesIn(folder)).sort()) {
    const name = readQueueName(file);
    // A batch may be sent, and its file removed, while we look.
    const facts = name && (await stat(join(folder, file)).catch(() => undefined));
    if (!facts) continue;
    const { batches = 0, bytes = 0, oldest = facts.mtime.toISOString() } = byType.get(name.dataType) ?? {};
    const route = routeOfType(told, name.dataType);
    byType.set(name.dataType, { dataType: name.dataType, kind: name.kind, route, batches: batches + 1, bytes: bytes + facts.size, oldest });
  }
  return [...byType.values()];
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}
