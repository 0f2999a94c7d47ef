/**
 * Tells a workspace from whom it may take data straight: the management group's roots, and the agents that may send; no root, where the
 * operator has opened no direct way. Said after every
 * registration, and at once when it has changed; while the workspace cannot be reached it is tried again every minute. What the workspace
 * was told last is noted on disk, so that a suspension is told after a restart too.
 */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, writeFileAtomic } from '../files.ts';
import type { Logger } from '../logger.ts';
import { type AuthorityStatement, writeAuthorityStatement } from '../oms-protocol/authority-statement.ts';
import { AUTHORITIES_PATH } from '../oms-protocol/paths.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { HttpClient } from './http-client.ts';
import type { Registration } from './registration.ts';

const RETRY_MS = 60_000;

export interface AuthorityRegistrationParts {
  readonly workspaceId: WorkspaceId;
  /** `https://<id>.oms.<domain>` or the endpoint that stands for it; without a final slash. */
  readonly serviceUrl: string;
  readonly userAgent: string;
  /** What is true now. */
  readonly statement: () => AuthorityStatement;
  /** Where the relay's identity for this workspace is kept. */
  readonly folder: string;
  readonly client: HttpClient;
  readonly registration: Pick<Registration, 'ensure'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AuthorityRegistration {
  /** Something may have changed: tells it, unless the workspace knows. One that was never told hears it at the registration. */
  changed(): void;
  /** The relay has registered: the workspace may be a new one. */
  registered(): void;
  close(): void;
}

/** `done`: told, or nothing to tell · `not-wanted`: the workspace takes no such statement · else why it has to be tried again. */
type Outcome = 'done' | 'not-wanted' | { readonly why: string };

export function createAuthorityRegistration(parts: AuthorityRegistrationParts): AuthorityRegistration {
  const { workspaceId, clock, log } = parts;
  const path = join(parts.folder, 'authority-told');
  let isWanted = true;
  let isClosed = false;
  let again = false;
  let running = false;
  let trouble = '';
  let cancelRetry = (): void => {};

  const told = async (): Promise<string | undefined> => (await readFileIfAny(path))?.toString();
  const note = async (fingerprint: string): Promise<void> => {
    await makePrivateFolder(parts.folder);
    await writeFileAtomic(path, fingerprint);
  };

  const tell = async (): Promise<Outcome> => {
    const body = writeAuthorityStatement(parts.statement());
    const fingerprint = hash('sha256', body);
    if ((await told()) === fingerprint) return 'done';
    const obstacle = await parts.registration.ensure();
    if (obstacle) return { why: 'reason' in obstacle ? obstacle.reason : obstacle.outcome };
    const headers = { 'content-type': 'application/json', 'user-agent': parts.userAgent };
    const reached = await parts.client.post(parts.serviceUrl + AUTHORITIES_PATH, headers, body);
    if (!reached.reached) return { why: reached.reason };
    const { status } = reached.answer;
    if (status === 404 || status === 405 || status === 501) return 'not-wanted';
    if (status !== 200) return { why: `HTTP ${status}` };
    await note(fingerprint);
    log.info({ workspaceId }, 'the workspace knows which agents may send to it');
    return 'done';
  };
  const settle = (outcome: Outcome): void => {
    isWanted = outcome !== 'not-wanted';
    if (typeof outcome === 'string') {
      trouble = '';
      return;
    }
    if (isClosed) return;
    if (outcome.why !== trouble)
      log.warn({ workspaceId, reason: outcome.why }, 'the workspace could not be told which agents may send to it; it is tried again every minute');
    trouble = outcome.why;
    cancelRetry();
    cancelRetry = clock.after(RETRY_MS, start);
  };
  const run = async (): Promise<void> => {
    do {
      again = false;
      settle(await tell().catch((error: unknown) => ({ why: messageOf(error) })));
    } while (again && !isClosed);
    running = false;
  };
  function start(): void {
    again = true;
    if (running || isClosed || !isWanted) return;
    running = true;
    void run();
  }

  return {
    changed: () => void told().then((before) => before !== undefined && start(), start),
    registered() {
      isWanted = true;
      // Where agents have no direct way, and never had one, there is nothing to say.
      const isSilent = parts.statement().roots.length === 0;
      void told().then((before) => (before === undefined && isSilent ? undefined : note('').then(start)), start);
    },
    close() {
      isClosed = true;
      cancelRetry();
    },
  };
}
