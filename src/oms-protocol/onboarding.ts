/** Onboarding (§1.5): the request that is signed with a shared key. The checks of the side that receives it, and the headers of the side that sends. */
import { type CertificateFacts, readCertificate } from '../authority/x509.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import { contentHash, equalInConstantTime, sign } from './signature.ts';
import { readTopologyRequest, type TopologyRequest } from './topology-request.ts';

/** A shared key that may sign for a workspace. */
export interface OnboardingKey {
  readonly id: string;
  readonly key: Uint8Array;
}

export interface OnboardingAttempt {
  readonly headers: { readonly authorization?: string | undefined; readonly date?: string | undefined; readonly contentHash?: string | undefined };
  readonly body: Buffer;
  /** DER of the client certificate of the TLS connection, if it had one. */
  readonly peerCertificate: Buffer | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How far the sender's clock may be from ours, in milliseconds. */
  readonly maxSkewMs: number;
  readonly keysOf: (workspaceId: WorkspaceId) => readonly OnboardingKey[];
}

/** One word for the agent's log (it prints the `<Reason>` of a 403), one sentence for the operator. */
export interface OnboardingRefusal {
  readonly accepted: false;
  readonly reason:
    | 'MissingSignature'
    | 'InvalidWorkspaceKey'
    | 'ContentHashMismatch'
    | 'StaleDate'
    | 'InvalidTopologyRequest'
    | 'CertificateMismatch'
    | 'AgentKnown';
  readonly message: string;
}

export interface OnboardingAccepted {
  readonly accepted: true;
  readonly workspaceId: WorkspaceId;
  readonly keyId: string;
  readonly request: TopologyRequest;
  readonly certificate: CertificateFacts;
}

// Compared against when no key is known, so that an unknown workspace takes as long as a wrong key.
const NO_KEY: OnboardingKey = { id: '', key: Buffer.alloc(64) };
const X_MS_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Checks an onboarding request: signature, content, clock, and that TLS certificate, body and signed workspace are one. */
export function checkOnboarding(attempt: OnboardingAttempt): OnboardingAccepted | OnboardingRefusal {
  const { authorization, date, contentHash: claimedHash } = attempt.headers;
  if (!authorization || !date || !claimedHash) {
    return refusal(
      'MissingSignature',
      'The onboarding request lacks Authorization, x-ms-Date or x-ms-SHA256_Content. Onboard the agent with its workspace id and enrolment key.',
    );
  }
  const [workspaceText = '', signature = ''] = authorization.split(';').map((part) => part.trim());
  const workspaceId = readWorkspaceId(workspaceText);
  const key = workspaceId && signingKey(attempt.keysOf(workspaceId), signature, date, claimedHash);
  if (!workspaceId || !key) {
    return refusal(
      'InvalidWorkspaceKey',
      'No enrolment key of that workspace made this signature. Check the workspace id and the key; list keys with: relay enrolment-key list',
    );
  }
  if (!equalInConstantTime(contentHash(attempt.body), claimedHash)) {
    return refusal('ContentHashMismatch', 'The body is not the one that was signed. Something on the way changed it: look for a proxy that rewrites requests.');
  }
  const skewMs = X_MS_DATE.test(date) ? Math.abs(Date.parse(date) - attempt.now) : Number.NaN;
  if (!(skewMs <= attempt.maxSkewMs)) {
    return refusal(
      'StaleDate',
      `The request's date ${date.slice(0, 40)} is more than ${attempt.maxSkewMs / 60_000} minutes from this machine's ${new Date(attempt.now).toISOString()}. Set the clocks by a time server.`,
    );
  }
  return checkContent(attempt, workspaceId, key.id);
}

function checkContent(attempt: OnboardingAttempt, workspaceId: WorkspaceId, keyId: string): OnboardingAccepted | OnboardingRefusal {
  const request = readTopologyRequest(attempt.body);
  if (!request) return refusal('InvalidTopologyRequest', 'The body is not an AgentTopologyRequest with EntityTypeId and AuthenticationCertificate.');
  const certificate = readCertificate(request.certificate);
  if (!certificate || !attempt.peerCertificate?.equals(request.certificate)) {
    return refusal(
      'CertificateMismatch',
      'The client certificate of the TLS connection is not the one in the body. A proxy that ends TLS on the way must be taken out.',
    );
  }
  const [first, second] = certificate.commonNames;
  if (first?.toLowerCase() !== workspaceId || second?.toLowerCase() !== request.agentId) {
    return refusal(
      'CertificateMismatch',
      `The certificate's names are not workspace ${workspaceId} and agent ${request.agentId}. Delete the agent's certificate and onboard it again.`,
    );
  }
  return { accepted: true, workspaceId, keyId, request, certificate };
}

// Every key is tried, found or not, so that the time taken does not tell which one matched.
function signingKey(keys: readonly OnboardingKey[], signature: string, date: string, hash: string): OnboardingKey | undefined {
  let match: OnboardingKey | undefined;
  for (const key of keys.length > 0 ? keys : [NO_KEY]) {
    if (equalInConstantTime(sign(key.key, date, hash), signature) && key !== NO_KEY) match ??= key;
  }
  return match;
}

function refusal(reason: OnboardingRefusal['reason'], message: string): OnboardingRefusal {
  return { accepted: false, reason, message };
}

/** The headers that make a topology request an onboarding. `date` is ISO 8601 with an offset. */
export function onboardingHeaders(workspaceId: WorkspaceId, key: Uint8Array, body: Uint8Array, date: string): Record<string, string> {
  const hash = contentHash(body);
  return {
    'x-ms-date': date,
    'x-ms-version': 'August, 2014',
    'x-ms-sha256_content': hash,
    authorization: `${workspaceId}; ${sign(key, date, hash)}`,
  };
}
