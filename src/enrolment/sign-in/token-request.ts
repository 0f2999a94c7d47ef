import type { KnownSender, Senders } from '../../management-group/senders.ts';
import type { TokenForm } from './token-form.ts';

/** Why there is no token, in the words of Entra, which senders' libraries read; `outcome` is for metric and log. */
export interface NoToken {
  readonly granted: false;
  readonly outcome: 'bad-request' | 'bad-credentials' | 'pending' | 'suspended';
  readonly status: 400 | 401;
  readonly error: string;
  /** The number behind AADSTS. */
  readonly code: number;
  readonly message: string;
}

export type TokenDecision = { readonly granted: true; readonly sender: KnownSender } | NoToken;

/** Decides who gets a token: a sender that may send, by its id or name and its secret. The tenant and the scope may be any: there is one. */
export function decideToken({ grantType, clientId, secrets }: TokenForm, senders: Pick<Senders, 'identify'>): TokenDecision {
  if (grantType === undefined) return missing('grant_type');
  if (grantType !== 'client_credentials')
    return refused('bad-request', 400, 'unsupported_grant_type', 70_003, `The app requested an unsupported grant type '${grantType.slice(0, 40)}'.`);
  if (!clientId) return missing('client_id');
  const [secret] = secrets;
  if (secret === undefined)
    return refused('bad-credentials', 401, 'invalid_client', 7_000_218, "The request body must contain the following parameter: 'client_secret'.");
  const sender = secrets.map((each) => senders.identify(clientId, each)).find((each) => each !== undefined);
  if (!sender)
    return refused(
      'bad-credentials',
      401,
      'invalid_client',
      7_000_215,
      'Invalid client secret provided, or no sender has this client id. An operator of the relay lists them with: relay senders list.',
    );
  const { state, hostName, stateReason, agentId } = sender.agent;
  if (state === 'approved') return { granted: true, sender };
  const why = state === 'pending' ? `waits for: relay agents approve ${agentId}` : `is suspended: ${stateReason}`;
  return refused(state, 401, 'unauthorized_client', 7_000_112, `Application '${agentId}'(${hostName}) is disabled. Sender ${hostName} ${why}.`);
}

function missing(name: string): NoToken {
  return refused('bad-request', 400, 'invalid_request', 900_144, `The request body must contain the following parameter: '${name}'.`);
}

function refused(outcome: NoToken['outcome'], status: NoToken['status'], error: string, code: number, message: string): NoToken {
  return { granted: false, outcome, status, error, code, message };
}
