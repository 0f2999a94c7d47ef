/**
 * A workspace's data key while the service runs.
 *
 * Invariant: the key is in memory only for as long as what wraps it gives it out. That is asked again and again; when it is refused, the key is
 * dropped and everybody who works with it is told.
 */
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { createTurns } from '../../in-turn.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { WrappedBy } from './data-key-file.ts';
import { createDataKeyKeeper, type DataKeyKeeper, type Rewrapped } from './data-key-keeper.ts';
import type { KeyEvent } from './key-event.ts';
import { type KeyProvider, unavailable } from './key-provider.ts';
import { cannotBegin, cannotWrap, keyRefusal } from './key-refusal.ts';
import type { KeyState } from './key-watch.ts';
import type { KeysSettings } from './keys-settings.ts';
import { limitedProvider } from './limited-provider.ts';
import { createWatchedKey } from './watched-key.ts';
import { dueAt } from './wrap-plan.ts';

export interface WorkspaceKeysParts {
  readonly workspaceId: WorkspaceId;
  /** The workspace's own folder, where `data-key.json` is. */
  readonly folder: string;
  /** Nothing of the workspace is sealed yet. Only then is a data key made where there is none: a new one in a lost one's place would hide the loss. */
  readonly isFresh: boolean;
  /** What the settings ask for. */
  readonly provider: KeyProvider;
  /** What may have wrapped it until now, if the settings were changed meanwhile. It is then wrapped anew. */
  readonly others?: readonly KeyProvider[];
  readonly settings: Pick<KeysSettings, 'rotateEvery' | 'checkEvery'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent?: (event: KeyEvent) => void;
}

export interface WorkspaceKeys {
  current(): KeyState;
  /** Told whenever the key is taken away or given back. Who keeps what was derived from it drops that. The function returned ends it. */
  onChange(listener: (state: KeyState) => void): () => void;
  /** What wraps it; undefined until its file could be read. */
  wrappedBy(): WrappedBy | undefined;
  /** When another key is to wrap it, in milliseconds since 1970. By itself that happens for keys of the service; a customer makes a newer one. */
  rotationDueAt(): number | undefined;
  /** Looks now whether the key can be had, besides the looks at intervals. */
  check(): Promise<KeyState>;
  /**
   * Wraps it anew by the newest key of its provider; no data is touched. Throws `relay.local-workspace.key-unavailable` when the key cannot be had,
   * `relay.local-workspace.cannot-wrap` when the provider does not wrap it, `relay.local-workspace.cannot-write-data-key`; then nothing has changed.
   */
  rewrap(): Promise<WrappedBy>;
  /** Has another provider wrap it from now on. Both must be there now. Throws as `rewrap`. */
  changeProvider(to: KeyProvider): Promise<WrappedBy>;
  /** Drops the key; what is under way is given up or finished. */
  close(): Promise<void>;
}

/**
 * Opens a workspace's key; one that cannot be had now is waited for. Throws `relay.local-workspace.key-unavailable` when a fresh workspace's key
 * cannot be wrapped: it has nothing to wait with.
 */
export async function openWorkspaceKeys(parts: WorkspaceKeysParts): Promise<WorkspaceKeys> {
  const { workspaceId, folder, isFresh, settings, clock } = parts;
  const stopping = new AbortController();
  const limited = (provider: KeyProvider): KeyProvider => limitedProvider(provider, clock, stopping.signal);
  const others = (parts.others ?? []).map(limited);
  const place = { folder, context: { workspaceId } };
  const keeper = createDataKeyKeeper({ ...place, provider: limited(parts.provider), others, rotateEvery: settings.rotateEvery, clock });
  const made = isFresh ? await keeper.make() : undefined;
  if (made?.outcome === 'unavailable') throw cannotBegin(workspaceId, made.reason);
  const keys = createWorkspaceKeys(parts, keeper, { limited, stopping });
  await keys.check();
  return keys;
}

interface Limits {
  readonly limited: (provider: KeyProvider) => KeyProvider;
  readonly stopping: AbortController;
}

function createWorkspaceKeys(parts: WorkspaceKeysParts, keeper: DataKeyKeeper, { limited, stopping }: Limits): WorkspaceKeys {
  const { workspaceId, settings, clock, log } = parts;
  const inTurn = createTurns();
  const tell = (kind: KeyEvent['kind'], detail: string): void => {
    try {
      parts.onEvent?.({ kind, workspaceId, at: clock.now(), detail });
    } catch (error) {
      log.error({ workspaceId, kind, detail, reason: messageOf(error) }, 'one who was told of what happened to a key failed');
    }
  };

  const look = async (): Promise<void> => {
    const begunAt = clock.now();
    // A surprise is a key that cannot be had: the looks go on.
    const found = await keeper.open().catch((error: unknown) => unavailable(messageOf(error)));
    watched.checked(found, begunAt);
    if (found.outcome === 'opened' && !stopping.signal.aborted) await wrapAnewIfDue(found.key);
  };
  const wrapAnewIfDue = async (key: KeyObject): Promise<void> => {
    try {
      const done = await keeper.wrapAnewIfDue(key);
      if (done.outcome === 'wrapped') tellOf(done);
      if (done.outcome === 'unavailable') log.warn({ workspaceId, reason: done.reason }, 'a data key could not be wrapped anew; it is tried again');
    } catch (error) {
      log.error({ workspaceId, reason: messageOf(error) }, 'a data key could not be wrapped anew; look at the disk. It is tried again');
    }
  };
  const tellOf = ({ from, by, providers }: Rewrapped): void => {
    if (providers) tell('key-provider-changed', `from ${providers.from} (${from.keyId}) to ${providers.to} (${by.keyId})`);
    else if (from.keyId !== by.keyId) tell('key-rotated', `from ${from.keyId} to ${by.keyId}, ${keeper.provider().name}`);
  };
  const wrapAnew = async (to?: KeyProvider): Promise<WrappedBy> => {
    const state = watched.current();
    if (!state.available) throw keyRefusal(workspaceId, state);
    const done = await keeper.wrapAnew(state.key, to);
    if (done.outcome === 'unavailable') throw cannotWrap(workspaceId, done.reason);
    tellOf(done);
    return done.by;
  };
  const watched = createWatchedKey({
    clock,
    log,
    checkEveryMs: settings.checkEvery * 1000,
    onTurn(state) {
      if (state.available) tell('key-given-back', keeper.provider().name);
      else tell('key-taken-away', state.reason);
    },
    onDue: () => void inTurn(look).catch((error: unknown) => log.error({ workspaceId, reason: messageOf(error) }, 'a key could not be looked after')),
  });

  return {
    current: watched.current,
    onChange: watched.onChange,
    wrappedBy: keeper.wrappedBy,
    rotationDueAt() {
      const by = keeper.wrappedBy();
      return by && dueAt(by, settings.rotateEvery);
    },
    async check() {
      await inTurn(look);
      return watched.current();
    },
    rewrap: () => inTurn(() => wrapAnew()),
    changeProvider: (to) => inTurn(() => wrapAnew(limited(to))),
    async close() {
      watched.close();
      stopping.abort();
      await inTurn(() => Promise.resolve());
    },
  };
}
