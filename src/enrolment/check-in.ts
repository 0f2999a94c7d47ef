/**
 * hapi plugin: what our agents ask the relay for besides enrolment: which solutions they collect and by which way their data goes, and tokens
 * for the direct way. An agent that has the newest answer may wait for the next one (long poll), so that it hears of a change at once.
 */
import { createHash } from 'node:crypto';
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import { z } from 'zod';
import { type AgentConfiguration, CONFIGURATION_PATH, DIRECT_TOKEN_PATH, LONGEST_WAIT_S } from '../check-in/agent-configuration.ts';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Agent } from '../management-group/agent.ts';
import type { Registry } from '../management-group/registry.ts';
import type { DirectWays } from '../routing/direct-ways.ts';
import type { Routing } from '../routing/routing.ts';
import { createWaitingRoom, type WaitingRoom } from '../waiting-room.ts';
import { createHandOut, type HandOutParts } from './hand-out.ts';

const MAX_REQUEST_BYTES = 4_096;
const HOST = /^[a-z0-9.:[\]-]{1,255}$/i;

export interface CheckInOptions extends Omit<HandOutParts, 'clock'> {
  readonly routing: Pick<Routing, 'settingsOf' | 'onChange'>;
  readonly directWays: DirectWays;
  readonly registry: Pick<Registry, 'get'>;
  /** PEM of every root to be trusted now, the current one first. */
  readonly roots: () => readonly string[];
  /** Calls `listener` when the roots have changed. */
  readonly onRoots?: (listener: () => void) => () => void;
  /** Addresses of all relays of the group, this one first; none where there is only this one. */
  readonly relays?: () => readonly string[];
  /** Calls `listener` when they have changed. */
  readonly onRelays?: (listener: () => void) => () => void;
  readonly queueLimitBytes: number | undefined;
  /** Host in the tunnel's address when a request names none. */
  readonly ownHost: string;
  /** Agents that may wait at the same time. */
  readonly mostWaiting: number;
  readonly clock: Clock;
}

const tokenRequest = z.strictObject({
  stream: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'a stream is 1 to 100 letters, digits, dots, hyphens, underscores'),
});

export const checkInPlugin: Plugin<CheckInOptions> = {
  name: 'check-in',
  register(server, options) {
    const { routing, onRoots, onRelays } = options;
    const handOut = createHandOut(options);
    const room = createWaitingRoom(options.mostWaiting, options.clock);
    const endings = [routing.onChange(room.release), onRoots?.(room.release), onRelays?.(room.release)];

    const configuration: Lifecycle.Method = async (request, h) => {
      const known: unknown = request.headers['if-none-match'];
      let found = configurationOf(agentOf(request), request, options);
      if (isKnown(found, known)) {
        await waitIn(room, request);
        found = configurationOf(stillApproved(request, options), request, options);
      }
      const answer = isKnown(found, known) ? h.response().code(304) : h.response(found);
      return answer.header('etag', `"${found.version}"`);
    };

    const token: Lifecycle.Method = (request) => {
      const stream = streamIn(request.payload as Buffer);
      return handOut(agentOf(request), stream, request.info.remoteAddress, () => void stillApproved(request, options));
    };

    const payload = { parse: false, output: 'data' as const, override: 'application/octet-stream', maxBytes: MAX_REQUEST_BYTES };
    server.route([
      { method: 'GET', path: CONFIGURATION_PATH, handler: configuration },
      { method: 'POST', path: DIRECT_TOKEN_PATH, handler: token, options: { payload } },
    ]);
    // Before the listener waits for its requests to end.
    server.ext('onPreStop', () => {
      room.close();
      for (const end of endings) end?.();
    });
  },
};

function configurationOf(agent: Agent, request: Request, { routing, directWays, roots, relays, queueLimitBytes, ownHost }: CheckInOptions): AgentConfiguration {
  const direct = directWays.wayTo(agent.workspaceId, HOST.test(request.info.host) ? request.info.hostname : ownHost);
  const others = relays?.() ?? [];
  const content = {
    solutions: routing.settingsOf(agent),
    ...(direct ? { direct } : {}),
    ...(queueLimitBytes === undefined ? {} : { queueLimitBytes }),
    roots: roots(),
    ...(others.length > 0 ? { relays: others } : {}),
  };
  return { version: createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22), ...content };
}

async function waitIn(room: WaitingRoom, request: Request): Promise<void> {
  const asked = Number(request.query['wait'] ?? 0);
  const seconds = Number.isFinite(asked) ? Math.min(Math.max(asked, 0), LONGEST_WAIT_S) : 0;
  const outcome = await room.wait(seconds * 1_000, (leave) => request.raw.res.once('close', leave));
  if (outcome === 'full') throw new RelayError('relay.agent.too-many-waiting', 'Too many agents wait for a change. Ask again later, or without waiting.');
}

// Much may have happened while it waited.
function stillApproved(request: Request, { registry }: CheckInOptions): Agent {
  const before = agentOf(request);
  const agent = registry.get(before);
  if (agent?.state === 'approved') return agent;
  throw new RelayError(
    'relay.agent.suspended',
    `Agent ${before.agentId} (${before.hostName}) may not send any more: ${agent?.stateReason ?? 'it was removed'}.`,
  );
}

// Weak and strong tags compare alike here (RFC 9110 §13.1.2).
function isKnown({ version }: AgentConfiguration, header: unknown): boolean {
  const tags = (typeof header === 'string' ? header : '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(`"${version}"`);
}

function agentOf(request: Request): Agent {
  const { agent } = request.auth.credentials;
  if (!agent) throw new RelayError('relay.internal', 'A check-in was let in without an agent.');
  return agent;
}

function streamIn(body: Buffer): string {
  const found = tokenRequest.safeParse(parse(body.toString('utf8')));
  if (found.success) return found.data.stream;
  throw new RelayError('relay.intake.bad-request', 'A request for a token is JSON such as {"stream":"Custom-Perf_CL"}.');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
