/** The one table: what is refused → HTTP status, log level, when to come back, and what to do. The README's table is made from it. */
import type { ErrorCode } from '../errors.ts';

export interface ErrorReply {
  readonly status: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Seconds, for Retry-After; an error may bring its own. */
  readonly retryAfterS?: number;
  /** For the README: when it happens and what to do. */
  readonly meaning: string;
}

const REPLIES: ReadonlyMap<ErrorCode, ErrorReply> = new Map<ErrorCode, ErrorReply>([
  [
    'relay.agent.no-certificate',
    { status: 403, level: 'warn', meaning: 'The connection has no client certificate. Enrol the machine and connect with its certificate.' },
  ],
  ['relay.agent.unknown-certificate', { status: 403, level: 'warn', meaning: 'No agent has enrolled with this certificate. Enrol the machine again.' }],
  [
    'relay.agent.certificate-expired',
    {
      status: 403,
      level: 'warn',
      meaning:
        "The certificate's time is over, or has not begun. Check the clock; an agent renews within `enrolment.expiredCertificates`, else enrol it again.",
    },
  ],
  [
    'relay.agent.certificate-replaced',
    { status: 403, level: 'warn', meaning: 'The agent renewed this certificate long ago. Use the new one, or enrol again.' },
  ],
  ['relay.agent.pending', { status: 403, level: 'info', meaning: 'The agent waits for approval: `relay agents approve <agent>`.' }],
  ['relay.agent.suspended', { status: 403, level: 'warn', meaning: 'An operator suspended the agent: `relay agents show <agent>` says why.' }],
  [
    'relay.enrolment.bad-credentials',
    {
      status: 401,
      level: 'warn',
      meaning: 'Name and password are no agent name with an enrolment key or one-time token that can be used now. Which part is wrong is not said.',
    },
  ],
  [
    'relay.enrolment.too-many-attempts',
    {
      status: 429,
      level: 'info',
      retryAfterS: 60,
      meaning:
        'From this address came more attempts to enrol than `enrolment.attemptsPerMinute`, or more bad credentials than `enrolment.badCredentialsPerMinute`. Nothing more of it is read until the minute is over.',
    },
  ],
  [
    'relay.enrolment.name-taken',
    {
      status: 403,
      level: 'warn',
      meaning: 'An agent has this name already, with another key. Make a one-time token for it, or remove it: `relay agents remove <agent>`.',
    },
  ],
  [
    'relay.enrolment.bad-request',
    {
      status: 400,
      level: 'warn',
      meaning: 'The signing request cannot be used: the answer says why. Keys are RSA 2048 to 4096 or EC P-256 or P-384, signed with SHA-256 or longer.',
    },
  ],
  ['relay.enrolment.too-large', { status: 413, level: 'warn', meaning: 'The signing request is larger than 32 KiB.' }],
  [
    'relay.enrolment.too-often',
    { status: 429, level: 'warn', retryAfterS: 3_600, meaning: 'The agent got a hundred certificates within a day. Look why it does not use the last one.' },
  ],
  [
    'relay.agent.too-many-waiting',
    { status: 503, level: 'warn', retryAfterS: 30, meaning: 'More agents wait for a change of their configuration than the relay lets wait. They come back.' },
  ],
  [
    'relay.agent.no-token-source',
    { status: 501, level: 'warn', meaning: 'The workspace has nobody who gives tokens for the direct way. Its data goes through the relay.' },
  ],
  [
    'relay.agent.not-its-stream',
    { status: 403, level: 'warn', meaning: "The agent asked for a token for a stream that none of its data goes straight to. Look at the agent's routes." },
  ],
  [
    'relay.agent.no-token-now',
    { status: 503, level: 'warn', retryAfterS: 30, meaning: 'The workspace gives no token for the direct way now. The agent keeps its data and asks again.' },
  ],
  [
    'relay.intake.direct-only',
    {
      status: 421,
      level: 'info',
      meaning:
        'The data is marked direct and `routing.directAtRelay` is `refuse`. Only agents of ours hear this, which keep the batch and send it straight to the workspace; from others such data is always taken.',
    },
  ],
  [
    'relay.intake.too-large',
    { status: 413, level: 'warn', meaning: 'The body, as sent or once inflated, is larger than `intake.maxInflatedSize`. Send smaller batches, or raise it.' },
  ],
  [
    'relay.sender.no-credentials',
    {
      status: 401,
      level: 'warn',
      meaning: 'The request has no token, password or API key, and the connection no client certificate. Make a sender: `relay senders create`.',
    },
  ],
  [
    'relay.sender.bad-credentials',
    {
      status: 401,
      level: 'warn',
      meaning: 'No sender has this id or name with this secret, or this API key: `relay senders list`. Which part is wrong is not said.',
    },
  ],
  [
    'relay.sender.bad-token',
    { status: 401, level: 'warn', meaning: 'The access token has expired, is none of this relay, or was got with a secret that has ended. Sign in again.' },
  ],
  [
    'relay.sender.bad-signature',
    {
      status: 403,
      level: 'warn',
      meaning: 'No sender of the workspace has the key that the request was signed with, or its `x-ms-date` is further off than `senders.clockSkew`.',
    },
  ],
  [
    'relay.sender.bad-workspace',
    { status: 400, level: 'warn', meaning: 'The workspace in the Authorization header is no GUID. Look at the sender’s configuration.' },
  ],
  [
    'relay.sender.workspace-gone',
    {
      status: 400,
      level: 'warn',
      meaning: 'The sender’s workspace is not configured on this relay any more. Configure it, or move the sender: `relay agents move`.',
    },
  ],
  [
    'relay.sender.not-its-rule',
    { status: 403, level: 'warn', meaning: 'The data collection rule in the path belongs to another workspace than the sender. Look at its configuration.' },
  ],
  [
    'relay.intake.unknown-rule',
    { status: 404, level: 'warn', meaning: 'The path names no data collection rule: an immutable id is `dcr-` and 32 hexadecimal digits.' },
  ],
  ['relay.intake.unknown-stream', { status: 404, level: 'warn', meaning: 'The path names no stream such as `Custom-Table_CL` or `Microsoft-Syslog`.' }],
  ['relay.intake.no-api-version', { status: 400, level: 'warn', meaning: 'The query has no `api-version`.' }],
  ['relay.intake.bad-api-version', { status: 400, level: 'warn', meaning: 'The `api-version` is none that the API has.' }],
  ['relay.intake.no-content-type', { status: 400, level: 'warn', meaning: 'The request has no Content-Type.' }],
  ['relay.intake.bad-content-type', { status: 415, level: 'warn', meaning: 'The Content-Type is none that the service at this path takes.' }],
  ['relay.intake.no-log-type', { status: 400, level: 'warn', meaning: 'The request has no Log-Type.' }],
  [
    'relay.intake.bad-json',
    {
      status: 400,
      level: 'warn',
      meaning: 'The body is not the JSON that the service at this path takes; the answer says where it goes wrong. Nothing was kept.',
    },
  ],
  [
    'relay.intake.bad-otlp',
    {
      status: 400,
      level: 'warn',
      meaning: 'The body is no OTLP request with log records in the format that its Content-Type says; the answer says what is wrong. Nothing was kept.',
    },
  ],
  ['relay.intake.bad-encoding', { status: 400, level: 'warn', meaning: 'The body is not what Content-Encoding says. Nothing was kept.' }],
  ['relay.intake.unknown-encoding', { status: 415, level: 'warn', meaning: 'Content-Encoding is none of identity, deflate, gzip.' }],
  ['relay.intake.bad-log-type', { status: 400, level: 'warn', meaning: 'Log-Type is missing, or not a letter and up to 100 letters, digits or underscores.' }],
  ['relay.intake.bad-request', { status: 400, level: 'warn', meaning: 'The request is no HTTP we understand, or lacks something its path needs.' }],
  [
    'relay.intake.long-headers',
    { status: 431, level: 'warn', meaning: "The request's headers are longer than 16 KiB. Look for a proxy on the way that adds to them." },
  ],
  ['relay.intake.unknown-path', { status: 404, level: 'info', meaning: 'No service at this path. Check the address the agent was given.' }],
  [
    'relay.intake.too-slow',
    { status: 408, level: 'warn', meaning: 'Headers or body did not arrive within `intake.headersTimeout` and `intake.bodyTimeout`. The sender comes back.' },
  ],
  ['relay.intake.aborted', { status: 499, level: 'info', meaning: 'The sender went away in the middle of its request. Nothing was kept; it sends again.' }],
  [
    'relay.group.primary-away',
    {
      status: 503,
      level: 'warn',
      retryAfterS: 60,
      meaning: 'Enrolments and renewals are decided by the primary relay of the group, which does not answer. Data is taken meanwhile: `relay group members`.',
    },
  ],
  [
    'relay.group.not-primary',
    { status: 409, level: 'warn', meaning: 'The relay is not the primary of its group any more. Whoever asked learns from another relay which one is.' },
  ],
  [
    'relay.group.not-a-member',
    {
      status: 403,
      level: 'warn',
      meaning: 'A request between relays came with a certificate that is none of the group’s: `relay group members` on the primary.',
    },
  ],
  [
    'relay.group.bad-token',
    { status: 403, level: 'warn', meaning: 'A relay wanted to join with a token that is unknown, used or older than 15 minutes: `relay group token`.' },
  ],
  ['relay.group.name-taken', { status: 409, level: 'warn', meaning: 'A relay wanted to join under a name or an address that another relay of the group has.' }],
  ['relay.group.too-many-members', { status: 409, level: 'warn', meaning: 'A relay wanted to join a group that has eight already.' }],
  [
    'relay.group.bad-request',
    { status: 400, level: 'warn', meaning: 'Another relay of the group asked what this one does not understand. Use the same release on all.' },
  ],
  ['relay.blob.bad-address', { status: 403, level: 'warn', meaning: 'The upload address is unknown or too old. The agent asks for a new one by itself.' }],
  [
    'relay.cache.full',
    { status: 503, level: 'warn', retryAfterS: 60, meaning: 'There is no room: cache, disk or Redis is full. The sender keeps its data and comes back.' },
  ],
  [
    'relay.cache.unavailable',
    { status: 503, level: 'warn', retryAfterS: 10, meaning: 'Disk or Redis did not take the batch. The sender keeps its data and comes back.' },
  ],
  [
    'relay.cache.held',
    {
      status: 503,
      level: 'debug',
      retryAfterS: 480,
      meaning:
        'The workspace has been out of reach for longer than `retry.window`, and the sender said that it has a queue of its own (`x-relay-own-queue`). Retry-After is chance, from `retry.every` to twice that, so that senders come back spread over time.',
    },
  ],
  ['relay.internal', { status: 500, level: 'error', meaning: 'A fault of the relay: its log has the details. The sender keeps its data and comes back.' }],
]);

const INTERNAL: ErrorReply = { status: 500, level: 'error', meaning: '' };

/** The reply for a code; an unknown one is a fault of ours. */
export function replyFor(code: ErrorCode): ErrorReply {
  return REPLIES.get(code) ?? INTERNAL;
}

/** A code's meaning as plain text. */
export function meaningOf(code: ErrorCode): string {
  return replyFor(code).meaning.replaceAll('`', '');
}

/** The table's rows, for the README. */
export function errorReplies(): readonly (readonly [ErrorCode, ErrorReply])[] {
  return [...REPLIES];
}

/** Our code for a status that hapi gave by itself, before any of our code ran. */
export function codeOfStatus(status: number): ErrorCode {
  const codes: Record<number, ErrorCode> = {
    400: 'relay.intake.bad-request',
    404: 'relay.intake.unknown-path',
    405: 'relay.intake.unknown-path',
    408: 'relay.intake.too-slow',
    413: 'relay.intake.too-large',
    415: 'relay.intake.unknown-encoding',
  };
  return codes[status] ?? 'relay.internal';
}
