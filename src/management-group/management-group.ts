import { rmSync } from 'node:fs';
import { type Clock, every } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import { type AgentKeys, createAgentKeys } from './agent-keys.ts';
import { writeCopy } from './copy.ts';
import { openDatabase } from './database.ts';
import { createEnrolmentKeys, type EnrolmentKeys } from './enrolment-keys.ts';
import { createGroupCopying, type GroupCopying } from './group-copy.ts';
import { createIssuedCertificates, type IssuedCertificates } from './issued-certificates.ts';
import { createOneTimeTokens, type OneTimeTokens } from './one-time-tokens.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createSenderSecrets } from './sender-secrets.ts';
import { createSenderTokens, type SenderTokens } from './sender-tokens.ts';
import { createSenders, type Senders } from './senders.ts';

const FLUSH_EVERY_MS = 60_000;

/** Who may send to the relay, and with which keys new machines come. Kept in one file of its own. */
export interface ManagementGroup extends GroupCopying {
  readonly registry: Registry;
  readonly enrolmentKeys: EnrolmentKeys;
  /** Those without a certificate, and their secrets. */
  readonly senders: Senders;
  readonly senderTokens: SenderTokens;
  /** Seals enrolment keys and secrets with the ring's current key. */
  reseal(): void;
  /** Ids of the ring's keys that seal them, one for each. */
  sealedWith(): { readonly keyId: string; readonly enrolmentKeys?: number; readonly senderSecrets?: number }[];
  /** Tokens that let one machine enrol, once. */
  readonly tokens: OneTimeTokens;
  /** The public keys that agents enrolled with. */
  readonly agentKeys: AgentKeys;
  readonly issued: IssuedCertificates;
  /** Counts the rows written since the file was opened: as long as it stays, nothing has changed. */
  writes(): number;
  /** Writes the whole file to `path` (mode 0600), as it is at this moment, in place of what is there. */
  saveTo(path: string): void;
  close(): void;
}

/** Opens the file at `path`, or makes it. */
export function openManagementGroup(path: string, { keys, clock, log }: { keys: KeyRing; clock: Clock; log: Logger }): ManagementGroup {
  const database = openDatabase(path);
  const registry = createRegistry(database, clock.now);
  const enrolmentKeys = createEnrolmentKeys(database, keys, clock.now);
  const secrets = createSenderSecrets(database, keys, clock.now);
  const senders = createSenders(registry, secrets);
  registry.onStanding(secrets.sweep);
  const lost = enrolmentKeys.unopenable();
  if (lost.length > 0)
    log.error({ names: lost }, 'enrolment keys cannot be opened, because the key that sealed them is lost: restore the key ring, or make new ones');
  const lostSecrets = secrets.unopenable();
  if (lostSecrets.length > 0)
    log.error({ agentIds: lostSecrets }, 'secrets of senders cannot be opened, because the key that sealed them is lost: restore the key ring, or rotate them');
  const stop = every(clock, FLUSH_EVERY_MS, () => {
    try {
      registry.flush();
    } catch (error) {
      log.warn({ err: error }, 'when agents were last seen could not be written; it is tried again in a minute');
    }
  });
  const writes = database.prepare('SELECT total_changes() AS writes');
  return {
    ...createGroupCopying(database, registry, { enrolmentKeys, secrets }),
    registry,
    enrolmentKeys,
    senders,
    senderTokens: createSenderTokens(senders, clock.now),
    reseal() {
      enrolmentKeys.reseal();
      secrets.reseal();
    },
    sealedWith: () => [
      ...enrolmentKeys.sealedWith().map((keyId) => ({ keyId, enrolmentKeys: 1 })),
      ...secrets.sealedWith().map((keyId) => ({ keyId, senderSecrets: 1 })),
    ],
    tokens: createOneTimeTokens(database, clock.now),
    agentKeys: createAgentKeys(database, clock.now),
    issued: createIssuedCertificates(database, registry, clock.now),
    writes: () => (writes.get() as { writes: number }).writes,
    saveTo(copy) {
      registry.flush();
      rmSync(copy, { force: true });
      writeCopy(database, copy);
    },
    close() {
      stop();
      registry.flush();
      database.close();
    },
  };
}
