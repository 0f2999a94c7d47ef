import { type DirectWay, routeIn } from '../check-in/agent-configuration.ts';
import { RelayError } from '../errors.ts';
import type { Agent } from '../management-group/agent.ts';
import type { TokenSource } from '../routing/direct-tokens.ts';
import type { Routing } from '../routing/routing.ts';
import { SOLUTIONS } from '../routing/solutions.ts';
import { createStreams, type Streams } from '../upstream/logs-ingestion/streams.ts';
import { createRoad } from '../upstream/path/road.ts';
import { createSignIn, type SignIn } from '../upstream/sign-in/sign-in.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import { isSignInGiven } from '../workspace/sign-in-options.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Building } from './building.ts';

/** A token that lives longer is not handed out: it could not be taken back from an agent that is suspended. */
const LONGEST_LIFE_MS = 2 * 60 * 60 * 1_000;

/** Makes what gives tokens to agents, for each workspace whose direct way wants them and that names an application of its own for it. */
export async function openTokenSources(building: Building): Promise<ReadonlyMap<WorkspaceId, TokenSource>> {
  const sources = new Map<WorkspaceId, TokenSource>();
  for (const workspace of building.configuration.workspaces) {
    const { credential, signIn, ruleId } = workspace.direct;
    if (credential === 'token' && ruleId !== undefined && isSignInGiven(signIn)) sources.set(workspace.id, await openTokenSource(workspace, building));
  }
  return sources;
}

async function openTokenSource({ id, direct, signInPath }: WorkspaceOptions, { clock, component, defer }: Building): Promise<TokenSource> {
  const log = component('hand-out').child({ workspaceId: id });
  const road = await createRoad(signInPath, { clock, warn: (message) => log.warn(message) });
  defer(road.close);
  const signIn = createSignIn(direct.signIn, { road, clock, log, section: 'direct.signIn' });
  defer(signIn.close);
  return tokenSource(signIn, clock.now);
}

/** Gives the tokens of one application. Throws when there is none now, and when it lives too long. */
export function tokenSource(signIn: Pick<SignIn, 'token' | 'state'>, now: () => number): TokenSource {
  return async () => {
    const found = await signIn.token();
    if (found.outcome === 'none') throw new RelayError('relay.sign-in.no-token', found.reason);
    const { endsAt = now() } = signIn.state();
    if (endsAt - now() <= LONGEST_LIFE_MS) return { token: found.token, expiresAt: endsAt };
    const hours = LONGEST_LIFE_MS / 3_600_000;
    throw new RelayError(
      'relay.sign-in.long-token',
      `Tokens for agents live ${hours} h at most, this one until ${new Date(endsAt).toISOString()}. Shorten them in the tenant.`,
    );
  };
}

/** The rule that agents of a workspace send to with tokens, and its stream for each data type that may go straight. */
export function directRule({ direct, ingestion }: WorkspaceOptions): DirectWay['rule'] {
  if (direct.ruleId === undefined) return undefined;
  const streamsOf = createStreams(ingestion.streams);
  const dataTypes = [...new Set(SOLUTIONS.flatMap((solution) => solution.dataTypes))];
  const streams = dataTypes.flatMap((dataType) => streamName(streamsOf, dataType).map((stream) => [dataType, stream] as const));
  return { id: direct.ruleId, streams: Object.fromEntries(streams) };
}

/** Streams that an agent's data goes straight to, by the routes that hold now. */
export function directStreams(workspaces: readonly WorkspaceOptions[], { settingsOf }: Pick<Routing, 'settingsOf'>): (agent: Agent) => ReadonlySet<string> {
  const streams = new Map(workspaces.map(({ id, ingestion }) => [id, createStreams(ingestion.streams)]));
  return (agent) => {
    const streamsOf = streams.get(agent.workspaceId);
    const settings = settingsOf(agent).filter(({ isEnabled }) => isEnabled);
    const dataTypes = settings.flatMap((setting) => dataTypesOf(setting.name).filter((dataType) => routeIn(setting, dataType) === 'direct'));
    return new Set(streamsOf ? dataTypes.flatMap((dataType) => streamName(streamsOf, dataType)) : []);
  };
}

function dataTypesOf(solution: string): readonly string[] {
  return SOLUTIONS.find(({ name }) => name === solution)?.dataTypes ?? [];
}

function streamName(streams: Streams, dataType: string): string[] {
  const found = streams({ dataType, origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: {} } });
  return found.found ? [found.stream.name] : [];
}
