/** The workspaces of this process, and what they share: the engine's thread and the service's keys. */
import { join } from 'node:path';
import { type Clock, every } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { startEngine } from '../engine/engine-client.ts';
import type { HostedWorkspace, HostedWorkspaces } from '../hosted-workspace.ts';
import { listDatabases, storageKeyFolder, workspaceFolder } from '../intake/database.ts';
import { serviceKeysInUse } from '../keys/data-key.ts';
import type { KeyEvent } from '../keys/key-event.ts';
import type { KeyProvider } from '../keys/key-provider.ts';
import { createKeyProviders } from '../keys/key-providers.ts';
import type { KeySettings } from '../keys/keys-settings.ts';
import { createServiceKeys } from '../keys/service-keys.ts';
import { type OpenWorkspaceParts, openSink, openWorkspace } from '../open-workspace.ts';
import { type LocalWorkspaceSettings, settingsOf } from '../settings.ts';
import type { Stage } from '../staging/stage.ts';
import type { Guard } from './protecting.ts';
import { incidentOfEngine, incidentOfKey, incidentOfReplica } from './telling.ts';

const DAY_MS = 86_400_000;
const RESTART_MS = 1_000;

export interface HostingParts {
  readonly dataFolder: string;
  /** `key` is a workspace's shared key, in base64. */
  readonly workspaces: readonly { readonly id: WorkspaceId; readonly key: string }[];
  readonly settings: LocalWorkspaceSettings;
  /** Count data instead of keeping it. */
  readonly sink: boolean;
  readonly guard: Guard;
  readonly providerOf: (settings: KeySettings) => KeyProvider;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What wraps data keys, for all workspaces of this process. */
export interface KeyHouse {
  providerOf(settings: KeySettings): KeyProvider;
  /** Makes a new version of the service's key: what is wrapped from now on is wrapped by it. */
  renewServiceKey(): Promise<void>;
}

/** Opens the service's keys, and forgets each day the old versions that wrap nothing any more. */
export function openKeyHouse({ dataFolder, clock, log }: Pick<HostingParts, 'dataFolder' | 'clock' | 'log'>, parts: AsyncDisposableStack): KeyHouse {
  const serviceKeys = createServiceKeys({ path: join(dataFolder, 'keys', 'service-keys.json'), clock });
  const retire = async (): Promise<void> => {
    try {
      const folders = (await listDatabases(dataFolder)).flatMap((id) => [workspaceFolder(dataFolder, id), storageKeyFolder(dataFolder, id)]);
      const gone = await serviceKeys.retire(await serviceKeysInUse(folders));
      if (gone.length > 0) log.info({ keys: gone }, 'old versions of the service key wrap nothing any more and are forgotten');
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'old versions of the service key could not be looked through; it is tried again tomorrow');
    }
  };
  parts.defer(every(clock, DAY_MS, retire));
  return {
    providerOf: createKeyProviders({ serviceKeys, clock, warn: (message) => log.warn(message) }),
    async renewServiceKey() {
      await serviceKeys.rotate();
    },
  };
}

/** Opens them one after another; each is closed before what it stands on. Throws as `openWorkspace`. */
export async function openWorkspaces(given: HostingParts, parts: AsyncDisposableStack): Promise<HostedWorkspaces> {
  const { dataFolder, settings, guard, providerOf, clock, log } = given;
  const workspaces = new Map<WorkspaceId, HostedWorkspace>();
  const stages = (): Stage[] => [...workspaces.values()].flatMap(({ stage }) => stage ?? []);
  const engine = startEngine({
    log,
    onEvent: (event) => workspaces.get(event.workspaceId)?.stage?.engineSaid(event),
    onEnd() {
      // One that dies at its start would be started without end.
      clock.after(RESTART_MS, () => {
        for (const stage of stages()) stage.engineEnded();
      });
    },
  });
  parts.defer(() => engine.close());
  for (const { id, key } of given.workspaces) {
    const { encryption, hotFolder, replica } = settingsOf(settings, id);
    const own = { dataFolder, id, key };
    const others = encryption.key.kind === 'service' ? [] : [providerOf({ kind: 'service' })];
    const keys = { provider: providerOf(encryption.key), otherProviders: others, keys: encryption, onKeyEvent: keyTold(guard) };
    const workspace = given.sink ? await openSink(own) : await openWorkspace({ ...own, ...keys, ...tellers(guard), hotFolder, replica, engine, clock, log });
    parts.defer(() => workspace.close());
    workspaces.set(id, workspace);
  }
  return workspaces;
}

function tellers({ report }: Guard): Pick<OpenWorkspaceParts, 'onEngineEvent' | 'onReplicaEvent'> {
  return { onEngineEvent: (event) => report(incidentOfEngine(event)), onReplicaEvent: (event) => report(incidentOfReplica(event)) };
}

function keyTold({ audit, report }: Guard): (event: KeyEvent) => void {
  return (event) => {
    const actor = { kind: 'system', name: 'local-workspace' } as const;
    audit.enter({ actor, action: event.kind.replace('key-', 'key.'), on: event.workspaceId, from: actor.name, result: 'done', detail: event.detail });
    report(incidentOfKey(event));
  };
}
