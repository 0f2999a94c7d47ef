import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Agent, AgentCertificate } from './agent.ts';

const MINUTE_MS = 60_000;

/** For how long no data came from an agent that lags, by the names of the steps. */
export const LAG_STEPS: Readonly<Record<string, number>> = {
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
  '6h': 360 * MINUTE_MS,
  '1d': 1_440 * MINUTE_MS,
};

export interface AgentFiguresSettings {
  /** Milliseconds since 1970, both. What was last heard before the relay started counts from then: it could not be heard. */
  readonly now: number;
  readonly startedAt: number;
  /** After which an approved agent counts as silent, in milliseconds. */
  readonly silentAfterMs: number;
  /** How many of those that are silent for longest are named. */
  readonly top: number;
  /** What another relay of the group has heard of an agent, in milliseconds since 1970. */
  readonly heardElsewhere?: (agent: Agent) => { readonly seenAt: number; readonly dataAt: number } | undefined;
  /** The certificates of an agent. */
  readonly certificatesOf: (agent: Agent) => readonly AgentCertificate[];
}

/** How the approved agents of one workspace fare. */
export interface AgentFigures {
  readonly silent: number;
  /** By the names of `LAG_STEPS`: each agent counts in every step that it is beyond. */
  readonly lagging: Readonly<Record<string, number>>;
  /** Those that were last heard of first, the longest silent first. */
  readonly longestSilent: readonly Pick<Agent, 'hostName' | 'lastSeenAt'>[];
  /** When the first certificate of an agent that is heard of ends, in milliseconds since 1970. */
  readonly certificateEndsAt: number | undefined;
}

/** Looks at every agent once. Agents that may not send are left out. */
export function agentFigures(agents: readonly Agent[], settings: AgentFiguresSettings): ReadonlyMap<WorkspaceId, AgentFigures> {
  const approved = agents.filter(({ state }) => state === 'approved');
  return new Map([...Map.groupBy(approved, ({ workspaceId }) => workspaceId)].map(([id, own]) => [id, figuresOf(own, settings)]));
}

function figuresOf(agents: readonly Agent[], settings: AgentFiguresSettings): AgentFigures {
  const { now, startedAt, silentAfterMs, top, heardElsewhere, certificatesOf } = settings;
  const since = (at: number): number => now - Math.max(at, startedAt);
  const heard = agents.map((agent) => {
    const { seenAt = 0, dataAt = 0 } = heardElsewhere?.(agent) ?? {};
    return { agent, hostName: agent.hostName, lastSeenAt: Math.max(agent.lastSeenAt, seenAt), dataAt: Math.max(lastDataAt(agent), dataAt) };
  });
  const silent = heard.filter(({ lastSeenAt }) => since(lastSeenAt) > silentAfterMs);
  const lagging = Object.entries(LAG_STEPS).map(([name, ms]) => [name, heard.filter(({ dataAt }) => since(dataAt) > ms).length] as const);
  const gone = new Set(silent.map(({ agent }) => agent));
  const ends = agents.flatMap((agent) => (gone.has(agent) ? [] : certificatesOf(agent).flatMap((one) => (one.replacedAt === undefined ? one.notAfter : []))));
  const longestSilent = heard.toSorted((a, b) => a.lastSeenAt - b.lastSeenAt).slice(0, top);
  return {
    silent: silent.length,
    lagging: Object.fromEntries(lagging),
    longestSilent: longestSilent.map(({ hostName, lastSeenAt }) => ({ hostName, lastSeenAt })),
    certificateEndsAt: ends.length === 0 ? undefined : ends.reduce((first, one) => Math.min(first, one)),
  };
}

// To the minute: a solution's time is noted once in a minute.
function lastDataAt({ solutions, firstSeenAt }: Agent): number {
  return Object.values(solutions).reduce((last, at) => Math.max(last, at), firstSeenAt);
}
