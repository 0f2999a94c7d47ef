/**
 * Hands out tokens for the direct way: to approved agents, for the streams that their own data goes straight to, each time with an entry in the
 * audit log. The same token given to the same agent for the same stream again is one entry, and so are an agent's refusals within a minute:
 * nobody can fill the log, or hide in it.
 */
import type { EnterAudit } from '../audit/entry.ts';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Agent } from '../management-group/agent.ts';
import type { DirectToken, DirectTokens } from '../routing/direct-tokens.ts';

/** When a token that could not be got is asked for again, in seconds. */
const TOKEN_RETRY_S = 30;
const REFUSALS_MS = 60_000;
const MOST_REMEMBERED = 10_000;

export interface HandOutParts {
  readonly tokens: DirectTokens;
  /** Streams that an agent's data goes straight to. */
  readonly streamsOf: (agent: Agent) => ReadonlySet<string>;
  readonly audit: EnterAudit;
  readonly clock: Pick<Clock, 'now'>;
}

/** Gets a token for an agent that asks from an address. `isStillApproved` is asked again once the token is there, and throws when it is not. */
export type HandOut = (agent: Agent, stream: string, from: string, isStillApproved: () => void) => Promise<DirectToken>;

export function createHandOut({ tokens, streamsOf, audit, clock }: HandOutParts): HandOut {
  /** What was entered, until when that holds, the oldest first. */
  const entered = new Map<string, number>();
  const enter = (key: string, until: number, event: Parameters<EnterAudit>[0]): void => {
    const before = entered.get(key);
    if (before !== undefined && before > clock.now()) return;
    entered.delete(key);
    entered.set(key, until);
    const [oldest] = entered.keys();
    if (entered.size > MOST_REMEMBERED && oldest !== undefined) entered.delete(oldest);
    audit(event);
  };

  return async (agent, stream, from, isStillApproved) => {
    const { workspaceId, agentId } = agent;
    const what = { actor: { kind: 'agent', name: agentId } as const, action: 'token.hand-out', on: `${workspaceId} ${stream}`, from };
    const notGiven = (result: 'refused' | 'failed', detail: string): void =>
      enter(`${result} ${workspaceId} ${agentId}`, clock.now() + REFUSALS_MS, { ...what, result, detail });

    if (tokens.has(workspaceId) && !streamsOf(agent).has(stream)) {
      notGiven('refused', 'none of its data goes straight to that stream');
      throw new RelayError(
        'relay.agent.not-its-stream',
        `None of the data of agent ${agentId} goes straight to the stream ${stream}. Send it through the relay.`,
      );
    }
    const found = await tokens.tokenFor(agent, stream).catch((cause: unknown) => {
      notGiven('failed', 'the workspace gave none');
      throw new RelayError('relay.agent.no-token-now', `Workspace ${workspaceId} gives no token now. Ask again in ${TOKEN_RETRY_S} s.`, { cause });
    });
    if (!found) throw new RelayError('relay.agent.no-token-source', `Nobody gives tokens for workspace ${workspaceId}. Send its data through the relay.`);
    isStillApproved();
    const until = new Date(found.expiresAt).toISOString();
    enter(`${workspaceId} ${agentId} ${stream} ${found.expiresAt}`, found.expiresAt, { ...what, result: 'done', detail: `good until ${until}` });
    return found;
  };
}
