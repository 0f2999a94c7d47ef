/** A relay's folders as a stopped relay leaves them, and machines to restore to; nothing runs. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { openAuthority } from '../../src/authority/authority.ts';
import { openMachine } from '../../src/backup/machine.ts';
import { createMachineSecrets, type MachineSecrets } from '../../src/backup/machine-secrets.ts';
import { type MadeBackup, makeBackup } from '../../src/backup/make-backup.ts';
import type { Part } from '../../src/backup/state-files.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfiguration } from '../../src/configuration/load.ts';
import { makePrivateFolder } from '../../src/files.ts';
import { appliancePlaces } from '../../src/host/places.ts';
import type { Programs, Ran } from '../../src/host/run-program.ts';
import { silentLogger } from '../../src/logger.ts';
import { copyOfStopped } from '../../src/management-group/copy.ts';
import { openManagementGroup } from '../../src/management-group/management-group.ts';
import { type OwnSecrets, ownSecretsWith, plainSecrets } from '../../src/own-secrets.ts';
import { createRelayIdentities } from '../../src/upstream/relay-identity.ts';
import { loadKeyRing } from '../../src/workspace/key-ring-file.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK, certificate, enrolled } from '../management-group/rig.ts';

export const PASSPHRASE = 'six words that nobody else knows';
/** scrypt with next to no work: the passphrase of a test needs no protection. */
export const WORK_FACTOR = 4;
export const SHARED_KEY = 'c2hhcmVkIGtleSBvZiB0aGUgYmFuaw==';
export const MADE_AT: number = Date.parse('2026-11-28T20:00:00Z');
export const RESTORED_AT: number = Date.parse('2026-11-29T03:00:00Z');

/** A relay that ran here once. */
export interface Site {
  readonly folder: string;
  readonly configurationFile: string;
  readonly data: string;
  readonly rootFingerprint: string;
  /** The secret of an enrolment key named `site`, base64. */
  readonly enrolmentKey: string;
}

/** Lays a stopped relay out in `folder`. Paths in its configuration are relative, but those given. */
export async function laySite(
  folder: string,
  { secrets = plainSecrets, options = '' }: { readonly secrets?: OwnSecrets; readonly options?: string } = {},
): Promise<Site> {
  const etc = join(folder, 'etc');
  const data = join(folder, 'data');
  await mkdir(join(etc, 'secrets'), { recursive: true });
  await makePrivateFolder(join(data, 'keys'));
  await writeFile(join(etc, 'secrets', 'bank.key'), `${SHARED_KEY}\n`, { mode: 0o600 });
  const configurationFile = join(etc, 'relay.yaml');
  const text = `# The bank's relay.\ndata: ../data\ndomain: relay.bank.example\nworkspaces:\n  - id: ${BANK} # the bank\n    name: the bank\n    sharedKeyFile: secrets/bank.key\n${options}`;
  await writeFile(configurationFile, text, { mode: 0o640 });
  return { folder, configurationFile, data, ...(await layState(data, secrets)) };
}

async function layState(data: string, secrets: OwnSecrets): Promise<Pick<Site, 'rootFingerprint' | 'enrolmentKey'>> {
  const { now } = systemClock;
  const ownFile = join(data, 'keys', 'cache.json');
  const keys = await loadKeyRing({ credentialsFolder: undefined, keyFile: undefined, ownFile, secrets, now }, silentLogger);
  const group = openManagementGroup(join(data, 'management-group.sqlite'), { keys, clock: systemClock, log: silentLogger });
  for (let agent = 0; agent < 3; agent += 1) group.registry.enrol(enrolled(parseAgentId(randomUUID()), { certificate: certificate(`c${agent}`) }));
  const { secret: enrolmentKey } = group.enrolmentKeys.create({ name: 'site', workspaceId: BANK });
  group.close();
  const authority = await openAuthority(join(data, 'authority'), now, secrets);
  await authority.serverIdentity(['relay.bank.example'], 90);
  await createRelayIdentities(join(data, 'upstream', BANK), BANK, { lifeMs: 90 * 86_400_000, now, secrets }).current();
  const log = await openAuditLog({ folder: join(data, 'audit'), keyFile: join(data, 'keys', 'audit.key'), clock: systemClock, log: silentLogger });
  for (const action of ['relay.start', 'relay.stop'])
    log.enter({ actor: { kind: 'system', name: 'relay' }, action, on: 'relay', from: 'relay', result: 'done' });
  log.close();
  await writeFile(join(data, 'routes.json'), JSON.stringify({ version: 1, rules: [] }), { mode: 0o600 });
  return { rootFingerprint: authority.rootFingerprint, enrolmentKey };
}

/** Backs up a stopped relay. */
export async function backUp(
  site: Site,
  out: string,
  { parts = ['state'], secrets = machineSecretsIn() }: { readonly parts?: readonly Part[]; readonly secrets?: MachineSecrets } = {},
): Promise<MadeBackup> {
  const { configurationFile } = site;
  const configuration = await loadConfiguration({ file: configurationFile, env: {} });
  return await makeBackup({
    configuration,
    configurationFile,
    secrets,
    parts,
    copyDatabase: async (path) => copyOfStopped(join(configuration.data, 'management-group.sqlite'), path),
    isLive: false,
    passphrase: PASSPHRASE,
    out,
    release: '1.2.3',
    host: 'old-relay',
    now: () => MADE_AT,
    workFactor: WORK_FACTOR,
  });
}

/** Secrets of a machine whose credentials are in `folder`, already opened; of one without any unless given. */
export function machineSecretsIn(folder = '/nowhere'): MachineSecrets {
  return createMachineSecrets({ credentialsFolder: undefined, openedCredentials: folder, store: undefined });
}

/** Everything below a folder, by its path there: its mode and its bytes. */
export async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return new Map(await Promise.all(files.sort().map(async (path) => [relative(folder, path), await readFile(path, 'base64')] as const)));
}

/** Programs of an appliance: a systemd-creds that keeps what it is given, with `tpm: false` one whose TPM is gone, and a systemctl that notes what it is told. */
export function fakePrograms({ tpm = true }: { tpm?: boolean } = {}): Programs & { readonly told: string[]; tpm: boolean } {
  const told: string[] = [];
  const programs = {
    told,
    tpm,
    async run(program: string, args: readonly string[], { input = '' }: { input?: string | Uint8Array } = {}): Promise<Ran> {
      told.push([program, ...args].join(' '));
      if (program === 'systemctl') return ran(args[0] === 'is-active' ? 3 : 0);
      if (program !== 'systemd-creds' || args[0] === 'has-tpm2') return ran(program === 'id' ? 1 : 0);
      if (args[0] === 'encrypt') return { ...ran(0), out: `sealed ${programs.tpm} ${Buffer.from(input).toString('base64')}` };
      const [, wasSealedWithTpm, text = ''] = (await readFile(args.at(-2) ?? '', 'utf8')).split(' ');
      return wasSealedWithTpm === 'true' && !programs.tpm ? { code: 1, out: '', err: 'TPM2 device not found.' } : { ...ran(0), out: text };
    },
  };
  return programs;
}

function ran(code: number): Ran {
  return { code, out: '', err: '' };
}

/** A machine whose file system begins at `root`. */
export async function machineAt(root: string, programs: Programs): Promise<{ machine: Awaited<ReturnType<typeof openMachine>>; secrets: MachineSecrets }> {
  const machine = await openMachine(appliancePlaces(root), programs);
  const { openedCredentials } = machine.places;
  return { machine, secrets: createMachineSecrets({ credentialsFolder: undefined, openedCredentials, store: machine.store }) };
}

/** A sealing key like no other machine's. */
export function sealingSecrets(byte: number): OwnSecrets {
  return ownSecretsWith(Buffer.alloc(32, byte));
}
