/**
 * Puts a backup in the place of a machine's state. Order: the state is made ready beside its place, with everything checked once more; then the
 * machine is changed, by small writes and a rename. What was there before is moved aside, never deleted.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openAuditLog } from '../audit/audit-log.ts';
import { silentLogger } from '../logger.ts';
import { SEALING_KEY } from '../own-secrets.ts';
import { existingAbove, giveTo, makeStaging, type Owner, putInPlace, removeStaging } from './data-folder.ts';
import type { InspectedBackup } from './inspect-backup.ts';
import type { Machine } from './machine.ts';
import type { MachineSecrets } from './machine-secrets.ts';
import { stateMember } from './members.ts';
import { putOwnKeys } from './own-keys.ts';
import type { Placed } from './plan-files.ts';
import { RELAY_UNIT, type RestorePlan } from './plan-restore.ts';
import { putCredential, type SealingForRestore, sealingForRestore } from './restore-secrets.ts';
import { stageState } from './stage-state.ts';
import { AUDIT_KEY, KEY_RING } from './state-files.ts';
import { type WriteSettings, writeConfiguration, writePlaced } from './write-files.ts';

/** Has a relay that gave up tried again. */
const RETRY_UNIT = 'relay-retry.timer';

export interface RestoreParts {
  readonly machine: Machine;
  readonly secrets: MachineSecrets;
  readonly configurationFile: string;
  /** Has the relay's unit know of every credential there is, on an appliance. */
  readonly announceCredentials: () => Promise<void>;
  /** Who gave the command. */
  readonly operator: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Restored {
  readonly data: string;
  /** Where this machine's own went that was in the way. */
  readonly aside: readonly string[];
  readonly remarks: readonly string[];
  /** Whose configuration it is now. */
  readonly configuration: 'of the backup' | 'of this machine';
}

/** Carries a plan out. Until the state is ready nothing of the machine is changed, and what was made ready goes when something fails. */
export async function restore(backup: InspectedBackup, plan: RestorePlan, parts: RestoreParts): Promise<Restored> {
  const { machine, secrets, now } = parts;
  const stamp = new Date(now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const suffix = `.before-${stamp}Z`;
  const owner = await ownerFor(machine, plan);
  const sealing = await sealingForRestore(machine, secrets);
  const staging = await makeStaging(plan.folder, `restoring-${stamp}`);
  try {
    await stageState(backup, staging, sealing.secrets);
    await enterRestore(backup, staging, parts);
    const ownKeys = await putOwnKeys(staging, plan.configuration, backup.contents);
    const ring = await ringCredential(backup, parts);
    if (owner) await giveTo(owner, staging);
    // A unit that fails is started again and again, and must not start half way.
    if (machine.isAppliance) for (const unit of [RETRY_UNIT, RELAY_UNIT]) await machine.services.stop(unit);
    const placed = [...plan.files.placed, ...ownKeys, ...ring.placed];
    const credentials = await putCredentials(machine, placed, { sealing, aside: machine.places.credentials + suffix });
    if (machine.isAppliance) await parts.announceCredentials();
    const files = await writeAll(plan, placed, parts.configurationFile, { owner, suffix });
    const moved = await putInPlace(staging, plan.folder, plan.folder.path + suffix);
    return {
      data: plan.folder.path,
      aside: [...(moved === undefined ? [] : [moved]), ...credentials, ...files],
      remarks: [...sealing.remarks, ...plan.files.remarks, ...ring.remarks],
      configuration: plan.configurationText === undefined ? 'of this machine' : 'of the backup',
    };
  } finally {
    await removeStaging(staging);
  }
}

/** The restored log says first, or next, where it comes from: whoever reads it knows that another machine may have written on. */
async function enterRestore({ manifest }: InspectedBackup, staging: string, { operator, now }: RestoreParts): Promise<void> {
  const { host, madeAt, release, auditHead } = manifest;
  const clock = { now };
  const log = await openAuditLog({ folder: join(staging, 'audit'), keyFile: join(staging, AUDIT_KEY), clock, log: silentLogger });
  const before = auditHead ? `; the log there had ${auditHead.number} lines, the last one ${auditHead.seal}` : '';
  log.enter({
    actor: { kind: 'operator', name: operator },
    action: 'relay.restore',
    on: `backup of ${host}, ${madeAt}`,
    from: 'command',
    result: 'done',
    detail: `made by release ${release}${before}`,
  });
  log.close();
}

/** Where the machine keeps the key ring as a credential, that one stands before the file: it must be the restored one. */
async function ringCredential(
  { contents }: InspectedBackup,
  { machine, secrets }: RestoreParts,
): Promise<{ readonly placed: readonly Placed[]; readonly remarks: readonly string[] }> {
  const ring = contents.get(stateMember(KEY_RING)) as Buffer;
  const found = await secrets.keyRing().catch(() => Buffer.alloc(0));
  if (found === undefined || found.equals(ring)) return { placed: [], remarks: [] };
  if (machine.store) return { placed: [{ credential: 'cache-keys', content: ring }], remarks: [] };
  return {
    placed: [],
    remarks: [
      'The relay gets its key ring as the credential cache-keys, which is another than the restored one: put that one there, from keys/cache.json in the data folder.',
    ],
  };
}

// Where the ones before went, if there were any.
async function putCredentials(
  machine: Machine,
  placed: readonly Placed[],
  { sealing, aside }: { readonly sealing: SealingForRestore; readonly aside: string },
): Promise<string[]> {
  const own = sealing.newKey === undefined ? [] : [{ credential: SEALING_KEY, content: sealing.newKey }];
  let hasMoved = false;
  for (const file of [...own, ...placed]) if ('credential' in file && (await putCredential(machine, file.credential, file.content, aside))) hasMoved = true;
  return hasMoved ? [aside] : [];
}

async function writeAll(plan: RestorePlan, placed: readonly Placed[], configurationFile: string, settings: WriteSettings): Promise<string[]> {
  const aside = await writePlaced(placed, settings);
  if (plan.configurationText === undefined) return aside;
  return [...aside, ...(await writeConfiguration(configurationFile, plan.configurationText, settings))];
}

/** Who owns the state: the relay's user on an appliance, else whoever owns the data folder, or the folder it is in. Undefined: whoever runs this. */
async function ownerFor({ isAppliance, programs }: Machine, { folder }: RestorePlan): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const ids = isAppliance ? await Promise.all(['-u', '-g'].map((flag) => programs.run('id', [flag, 'relay']))) : [];
  const [uid, gid] = ids.map(({ code, out }) => (code === 0 ? Number(out.trim()) : Number.NaN));
  if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid: Number(uid), gid: Number(gid) };
  return await stat(folder.is === 'absent' ? await existingAbove(folder.path) : folder.path);
}
