import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import type { Channel, SendOutcome } from '../../src/incidents/channel.ts';
import type { IncidentEvent } from '../../src/incidents/event.ts';
import { type Incidents, openIncidents } from '../../src/incidents/incidents.ts';
import type { Notice } from '../../src/incidents/notice.ts';
import { incidentsSettings } from '../../src/incidents/settings.ts';
import { createLogger } from '../../src/logger.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export const START: number = Date.UTC(2026, 10, 23, 8);
export const MINUTE = 60_000;
export const HOUR: number = 60 * MINUTE;
export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');

export const KEY_TAKEN: IncidentEvent = {
  source: `workspace ${BANK}`,
  kind: 'key-taken-away',
  subject: 'vault/bank',
  detail: 'The key of the workspace cannot be used any more.',
};

export const BAD_TOKEN: IncidentEvent = { source: 'relay', kind: 'bad-tokens', subject: 'senders', detail: 'A token was refused.' };

/** A channel that keeps what it is given. */
export interface RecordingChannel {
  readonly name: Channel['name'];
  send: Channel['send'];
  readonly sent: Notice[];
  /** What it answers from now on. */
  answer: SendOutcome;
  tries: number;
}

export const SENT: SendOutcome = { outcome: 'sent' };
export const AWAY: SendOutcome = { outcome: 'failed', reason: 'hooks.example.org: nobody answers', concerns: 'channel' };

export function createRecordingChannel(name: Channel['name'] = 'webhook'): RecordingChannel {
  const channel: RecordingChannel = {
    name,
    sent: [],
    answer: SENT,
    tries: 0,
    async send(notice) {
      channel.tries += 1;
      if (channel.answer.outcome === 'sent') channel.sent.push(notice);
      return channel.answer;
    },
  };
  return channel;
}

export interface Rig extends AsyncDisposable {
  readonly path: string;
  readonly folder: string;
  readonly clock: ManualClock;
  readonly lines: string[];
  incidents: Incidents;
  /** Moves time on by minutes, one at a time, and lets everything happen that falls due. */
  pass(ms: number): Promise<void>;
  /** Closes and opens again. */
  restart(): Promise<void>;
}

/** A record of incidents that tells these channels, or those that its settings name. */
export async function createRig(settings: object = {}, channels?: readonly Channel[]): Promise<Rig> {
  const folder = await temporaryFolder();
  const clock = createManualClock(START);
  const path = join(folder.path, 'incidents.sqlite');
  const lines: string[] = [];
  const log = createLogger('info', { write: (line: string) => void lines.push(line) });
  const open = (): Incidents =>
    openIncidents({ path, settings: incidentsSettings.parse(settings), site: 'relay.example.org', clock, random: randomFillSync, log, channels });
  const rig: Rig = {
    path,
    folder: folder.path,
    clock,
    lines,
    incidents: open(),
    async pass(ms) {
      for (let left = ms; left > 0; left -= MINUTE) {
        clock.advance(Math.min(left, MINUTE));
        await turns();
      }
    },
    async restart() {
      await rig.incidents.close();
      rig.incidents = open();
      await turns();
    },
    async [Symbol.asyncDispose]() {
      await rig.incidents.close();
      await folder[Symbol.asyncDispose]();
    },
  };
  return rig;
}

/** Lets what is under way in this process, without a network, come to rest. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Reports, and lets it be recorded and told. */
export async function reported({ incidents, clock }: Rig, ...events: readonly IncidentEvent[]): Promise<void> {
  for (const event of events) {
    incidents.report(event);
    await turns();
    clock.advance(1_000);
    await turns();
  }
}
