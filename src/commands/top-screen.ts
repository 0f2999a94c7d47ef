/** What `relay top` shows, as text: a screen on a terminal, a line elsewhere. Pure. */
import type { Status } from '../control/api.ts';
import { type Attention, sentenceOf } from '../control/attention.ts';
import { attentionOf } from '../control/attention-of.ts';
import { digits, roughDuration, roughSize } from '../rough.ts';
import { tableOf } from '../table.ts';
import { attentionLines } from './attention-lines.ts';
import { moment } from './moments.ts';
import type { Rate, WorkspaceRate } from './rates.ts';
import { cachedOf, headline, nameOf, sinceOf, stateOf } from './status-lines.ts';

/** What is known when something is to be shown. */
export type TopView =
  | {
      readonly answers: true;
      readonly status: Status;
      /** Undefined after the first answer of a relay: a rate needs two. */
      readonly rates: readonly WorkspaceRate[] | undefined;
      /** Milliseconds since 1970. */
      readonly now: number;
    }
  | { readonly answers: false; readonly reason: string; readonly now: number };

const MOST_ATTENTION = 8;
const MOST_KINDS = 8;

/** The screen's lines. */
export function topScreen(view: TopView, everyMs: number): string[] {
  const foot = `${moment(view.now)} UTC, every ${roughDuration(everyMs)}; q ends`;
  if (!view.answers) return ['no relay answers, trying again', '', plain(view.reason), '', foot];
  const { status, rates, now } = view;
  const attention = attentionOf(status, now);
  const kinds = kindsTable(status, rates, now);
  return [
    headline(status, attention),
    '',
    ...attentionLines(attention, MOST_ATTENTION),
    '',
    ...workspacesTable(status, rates, now).split('\n'),
    '',
    ...(kinds === undefined ? [] : [...kinds.split('\n'), '']),
    groundLine(status),
    foot,
  ];
}

/** The same on one line, for a file or a pipe. */
export function topLine(view: TopView): string {
  if (!view.answers) return `${moment(view.now)} no relay answers, trying again: ${plain(view.reason)}`;
  const { status, rates, now } = view;
  const workspaces = status.cache.workspaces.map((stats) => {
    const rate = rates?.find(({ workspaceId }) => workspaceId === stats.workspaceId);
    const moved = rate ? `in ${amount(rate.in)}, out ${amount(rate.out)}` : 'in -, out -';
    const { batches, bytes } = cachedOf(stats);
    const { nextTryAt } = stats.upstream;
    const next = nextTryAt === undefined ? '' : `, next try in ${roughDuration(nextTryAt - now)}`;
    return `${plain(nameOf(status, stats.workspaceId))}: ${stateOf(stats)}${next}, ${moved}, cached ${batches} (${roughSize(bytes)}), oldest ${sinceOf(stats.oldestAt, now)}`;
  });
  return [moment(now), status.cache.ready.ok ? 'ready' : 'NOT READY', `| ${[...workspaces, attentionOn(attentionOf(status, now))].join(' | ')}`].join(' ');
}

function workspacesTable(status: Status, rates: readonly WorkspaceRate[] | undefined, now: number): string {
  const rows = status.cache.workspaces.map((stats) => ({ stats, rate: rates?.find(({ workspaceId }) => workspaceId === stats.workspaceId) }));
  return tableOf(rows, [
    ['WORKSPACE', ({ stats }) => nameOf(status, stats.workspaceId)],
    ['STATE', ({ stats }) => stateOf(stats)],
    ['NEXT TRY', ({ stats: { upstream } }) => (upstream.nextTryAt === undefined ? '-' : roughDuration(upstream.nextTryAt - now))],
    ...rateColumns<{ readonly rate: Rate | undefined }>(({ rate }) => rate),
    ['CACHED', ({ stats }) => cachedOf(stats).batches],
    ['BYTES', ({ stats }) => roughSize(cachedOf(stats).bytes)],
    ['OLDEST', ({ stats }) => sinceOf(stats.oldestAt, now)],
    ['DUE FOR', ({ stats }) => sinceOf(stats.dueSince, now)],
    ['IN FLIGHT', ({ stats }) => stats.groupsInFlight],
  ]);
}

function kindsTable(status: Status, rates: readonly WorkspaceRate[] | undefined, now: number): string | undefined {
  const rows = (rates ?? [])
    .flatMap(({ workspaceId, kinds }) => kinds.map((rate) => ({ workspaceId, rate })))
    .sort((a, b) => b.rate.in.bytes + b.rate.out.bytes - (a.rate.in.bytes + a.rate.out.bytes))
    .slice(0, MOST_KINDS);
  if (rows.length === 0) return undefined;
  const oldest = (id: string, kind: keyof Status['cache']['workspaces'][number]['oldestByKind']): number | undefined =>
    status.cache.workspaces.find(({ workspaceId }) => workspaceId === id)?.oldestByKind[kind];
  return tableOf(rows, [
    ['BUSIEST KIND', ({ rate }) => rate.kind],
    ['WORKSPACE', ({ workspaceId }) => nameOf(status, workspaceId)],
    ...rateColumns<{ readonly rate: Rate }>(({ rate }) => rate),
    ['OLDEST', ({ workspaceId, rate }) => sinceOf(oldest(workspaceId, rate.kind), now)],
  ]);
}

type RateColumn<Row> = readonly [string, (row: Row) => string];

function rateColumns<Row>(of: (row: Row) => Rate | undefined): readonly RateColumn<Row>[] {
  const cell =
    (write: (rate: Rate) => string) =>
    (row: Row): string => {
      const rate = of(row);
      return rate ? write(rate) : '-';
    };
  return [
    ['IN/S', cell((rate) => digits(rate.in.batches))],
    ['IN BYTES/S', cell((rate) => roughSize(rate.in.bytes))],
    ['OUT/S', cell((rate) => digits(rate.out.batches))],
    ['OUT BYTES/S', cell((rate) => roughSize(rate.out.bytes))],
  ];
}

function groundLine({ agents, agentsSilent, cache: { usedBytes, limitBytes, ground } }: Status): string {
  const used = `cache ${roughSize(usedBytes)} of ${roughSize(limitBytes)}; disk ${roughSize(ground.disk.freeBytes)} free`;
  return `${used}; Redis ${roughSize(ground.redis.memoryUsedBytes)}; ${agents.approved} agents, ${agentsSilent} silent, ${agents.pending} pending`;
}

function amount({ batches, bytes }: Rate['in']): string {
  return `${digits(batches)}/s ${roughSize(bytes)}/s`;
}

function attentionOn(attention: readonly Attention[]): string {
  const [first] = attention;
  return first ? `${attention.length} to attend to: ${sentenceOf(first)}` : 'nothing needs attention';
}

function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
