import type { CreatedKey, Status } from '../control/api.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { EnrolmentKey } from '../management-group/enrolment-keys.ts';
import { ENROLMENT_KEY_PREFIX } from './credentials-drop-in.ts';
import type { Machine } from './machine.ts';
import type { WantedKey } from './planned.ts';

const READY_LIMIT_MS = 180_000;
const POLL_MS = 500;

export const RELAY_UNIT = 'relay.service';
/** In the order in which they are started. Each of them waits for the one before by itself as well. */
const FIRST_UNITS = ['relay-redis.service', 'relay-network.service'] as const;

/** How setup talks to the relay that runs. */
export interface RunningRelay {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  delete(path: string): Promise<unknown>;
}

export interface BringUpParts {
  readonly machine: Pick<Machine, 'services' | 'credentials'>;
  readonly relay: RunningRelay;
  readonly restartsRelay: boolean;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Starts the services and waits until the relay takes data: three minutes at most. Throws `relay.host.service-failed` with a unit's last lines, and
 * `relay.setup.not-ready` with the relay's own reasons.
 */
export async function bringUp({ machine: { services }, relay, restartsRelay, elapsed, pause }: BringUpParts): Promise<Status> {
  const [redis, network] = FIRST_UNITS;
  await services.start(redis);
  // What it did at its last start may be out of date.
  await services.restart(network);
  const started = await (restartsRelay ? services.restart(RELAY_UNIT) : services.start(RELAY_UNIT)).then(
    () => undefined,
    (error: unknown) => error,
  );
  // What ended one start need not end the next: the unit is started again by itself, unless its configuration or its credentials are at fault.
  if (started !== undefined && (await services.hasFailed(RELAY_UNIT))) throw started;
  const begun = elapsed();
  for (;;) {
    const status = await relay.get<Status>('/status').catch((error: unknown) => messageOf(error));
    if (typeof status !== 'string' && status.cache.ready.ok) return status;
    if (elapsed() - begun > READY_LIMIT_MS) throw started ?? notReady(status);
    await pause(POLL_MS);
  }
}

function notReady(status: Status | string): RelayError {
  const ready = typeof status === 'string' ? undefined : status.cache.ready;
  const why = ready === undefined ? String(status) : ready.ok ? '' : ready.reasons.join(' · ');
  return new RelayError('relay.setup.not-ready', `The relay was started, but takes no data after ${READY_LIMIT_MS / 60_000} minutes: ${why} See: relay doctor`);
}

/** What became of a wanted enrolment key: made now and kept for the operator in the credential store, taken from the answers, or there before. */
export interface KeyOutcome {
  readonly name: string;
  readonly outcome: 'made' | 'taken' | 'kept' | 'revoked';
  /** The credential that holds the key, where setup made it. */
  readonly credential: string | undefined;
}

/** Sees to it that the enrolment keys are there. A key that was revoked stays so. Throws what the relay refuses. */
export async function ensureKeys(
  wanted: readonly WantedKey[],
  { machine: { credentials }, relay }: Pick<BringUpParts, 'machine' | 'relay'>,
): Promise<readonly KeyOutcome[]> {
  if (wanted.length === 0) return [];
  const [found, sealed] = [await relay.get<readonly EnrolmentKey[]>('/enrolment-keys'), await credentials.list()];
  const outcomes: KeyOutcome[] = [];
  for (const { name, workspaceId, key } of wanted) {
    const credential = `${ENROLMENT_KEY_PREFIX}${name}`;
    const there = found.find((each) => each.name === name);
    if (there !== undefined) {
      outcomes.push({ name, outcome: there.revokedAt === undefined ? 'kept' : 'revoked', credential: sealed.includes(credential) ? credential : undefined });
      continue;
    }
    const { secret } = await relay.post<CreatedKey>('/enrolment-keys', { name, workspaceId, ...(key === undefined ? {} : { key }) });
    if (key === undefined) await keepKey(credential, secret, () => relay.delete(`/enrolment-keys/${encodeURIComponent(name)}`), credentials);
    outcomes.push(key === undefined ? { name, outcome: 'made', credential } : { name, outcome: 'taken', credential: undefined });
  }
  return outcomes;
}

// A key that nobody can read any more would only take the name.
async function keepKey(credential: string, secret: string, revoke: () => Promise<unknown>, credentials: Machine['credentials']): Promise<void> {
  try {
    await credentials.put(credential, secret);
  } catch (error) {
    await revoke();
    throw error;
  }
}
