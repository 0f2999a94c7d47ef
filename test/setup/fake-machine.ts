/** A machine that setup may change: a folder in place of the file system, programs that note what they are asked, services and a relay that are told of only. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { Status } from '../../src/control/api.ts';
import { openCredentialStore } from '../../src/host/credentials.ts';
import { appliancePlaces } from '../../src/host/places.ts';
import type { Programs, Ran } from '../../src/host/run-program.ts';
import type { Services } from '../../src/host/services.ts';
import type { RunningRelay } from '../../src/setup/bring-up.ts';
import type { Machine } from '../../src/setup/machine.ts';
import { type MachineFiles, machineFiles } from '../../src/setup/machine-files.ts';
import { prepare, type SetUpParts, setUp } from '../../src/setup/set-up.ts';

export const EXPORTER = 'ARGS="--web.listen-address=127.0.0.1:9100 --no-collector.wifi"\n';
const CLOUD_NETPLAN = 'network: {version: 2, ethernets: {eth0: {dhcp4: true}}}\n';

export interface FakeMachine extends AsyncDisposable {
  readonly root: string;
  readonly machine: Machine;
  readonly files: MachineFiles;
  readonly parts: SetUpParts;
  /** Programs that were run, credentials aside, and units that were told. */
  readonly ran: string[];
  /** Lines that fail, and with what. */
  readonly fails: Map<string, string>;
  /** Names of the enrolment keys that the relay has. */
  readonly keys: Map<string, string>;
  /** Owner and mode of what was given one, by path. */
  readonly owned: Map<string, string>;
  status: Status;
  /** Answers, from `prefix` on, to the end. */
  run(value: unknown): Promise<{ readonly text: string; readonly changed: boolean }>;
  read(path: string): Promise<string | undefined>;
  /** Every file below the root with its text; sealed ones opened. */
  everything(): Promise<ReadonlyMap<string, string>>;
}

export async function fakeMachine(): Promise<FakeMachine> {
  const root = await mkdtemp(join(tmpdir(), 'relay-machine-'));
  const [places, files] = [appliancePlaces(root), machineFiles(root)];
  const ran: string[] = [];
  const fails = new Map<string, string>();
  const keys = new Map<string, string>();
  const owned = new Map<string, string>();
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  await put(files.users, 'root:x:0:0::/root:/bin/sh\nops:x:1000:1000::/home/ops:/bin/bash\n');
  await put(files.hostName, 'relay\n');
  await put(files.exporter, EXPORTER);
  await put(files.cloudNetplan, CLOUD_NETPLAN);
  for (const link of ['eth0', 'eth1', 'eth2']) await mkdir(join(root, 'links', link, 'device'), { recursive: true });
  await mkdir(join(root, 'links', 'lo'), { recursive: true });

  const programs = noting(ran, fails);
  const services = notingServices(ran, fails);
  const machine: Machine = {
    places,
    files,
    programs,
    services,
    credentials: await openCredentialStore(places.credentials, programs),
    async own(path, { user, group }, mode) {
      owned.set(path.slice(root.length), `${user}:${group} ${mode.toString(8)}`);
      await stat(path);
    },
  };
  let elapsed = 0;
  const found: FakeMachine = {
    root,
    machine,
    files,
    ran,
    fails,
    keys,
    owned,
    status: readyStatus(),
    parts: {
      machine,
      version: '1.2.3',
      relayAt: () => fakeRelay(keys, () => found.status),
      elapsed: () => elapsed,
      pause: (ms) => {
        elapsed += ms;
        return Promise.resolve();
      },
      look: {
        hostName: () => 'relay',
        interfaces: () => ({ eth0: [{ address: '10.1.0.77', netmask: '', mac: '', internal: false, family: 'IPv4', cidr: '10.1.0.77/24' }] }),
        linkFolder: join(root, 'links'),
      },
    },
    async run(value) {
      return await setUp(await prepare({ from: 'the test', prefix: '', value }, found.parts), found.parts);
    },
    read: (path) => readFile(path, 'utf8').catch(() => undefined),
    everything: () => everythingIn(root),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
  return found;
}

// What systemd-creds encrypts is its name and the secret's bytes turned over: enough to see that nothing is written as it is.
function noting(ran: string[], fails: ReadonlyMap<string, string>): Programs {
  return {
    async run(program, args, { input = '' } = {}): Promise<Ran> {
      const line = [program, ...args].join(' ');
      const failure = [...fails].find(([start]) => line.startsWith(start));
      if (program === 'systemd-creds') return failure ? { code: 1, out: '', err: failure[1] } : await sealOrOpen(args, Buffer.from(input));
      if (program === 'netplan' && args[0] === 'generate') return await netplanGenerate(args.at(-1) ?? '', failure?.[1]);
      ran.push(line);
      return failure ? { code: 1, out: '', err: failure[1] } : { code: 0, out: '', err: '' };
    },
  };
}

async function sealOrOpen(args: readonly string[], input: Buffer): Promise<Ran> {
  const name = args.find((arg) => arg.startsWith('--name='))?.slice('--name='.length);
  if (args[0] === 'has-tpm2') return { code: 1, out: '', err: '' };
  if (args[0] === 'encrypt') return { code: 0, out: `sealed ${name} ${Buffer.from(input).reverse().toString('base64')}`, err: '' };
  const [, sealedName, text = ''] = (await readFile(args.at(-2) ?? '', 'utf8')).split(' ');
  if (sealedName !== name) return { code: 1, out: '', err: 'Embedded credential name does not match' };
  return { code: 0, out: Buffer.from(text, 'base64').reverse().toString('base64'), err: '' };
}

async function netplanGenerate(root: string, failure: string | undefined): Promise<Ran> {
  const found = parse(await readFile(join(root, 'etc/netplan/60-relay.yaml'), 'utf8')) as { network?: unknown };
  return found.network === undefined || failure !== undefined ? { code: 1, out: '', err: failure ?? 'no network' } : { code: 0, out: '', err: '' };
}

function notingServices(ran: string[], fails: ReadonlyMap<string, string>): Services {
  const tell = (line: string): Promise<void> => {
    ran.push(line);
    const failure = fails.get(line);
    return failure === undefined ? Promise.resolve() : Promise.reject(new Error(failure));
  };
  return {
    start: (unit) => tell(`start ${unit}`),
    stop: (unit) => tell(`stop ${unit}`),
    restart: (unit) => tell(`restart ${unit}`),
    isActive: () => Promise.resolve(true),
    hasFailed: (unit) => Promise.resolve(fails.has(`is-failed ${unit}`)),
    lastLines: () => Promise.resolve(''),
  };
}

function fakeRelay(keys: Map<string, string>, status: () => Status): RunningRelay {
  return {
    get: <T>(path: string) => Promise.resolve((path === '/status' ? status() : [...keys].map(([name]) => ({ name }))) as T),
    post: <T>(_path: string, body: unknown) => {
      const { name, key = Buffer.from(`made for ${(body as { name: string }).name}`).toString('base64') } = body as { name: string; key?: string };
      keys.set(name, key);
      return Promise.resolve({ enrolmentKey: { name }, secret: key } as T);
    },
    delete: (path) => Promise.resolve(keys.delete(basename(path))),
  };
}

export function readyStatus(reasons: readonly string[] = []): Status {
  const ready = reasons.length === 0 ? { ok: true } : { ok: false, reasons };
  return { version: '1.2.3', intakePort: 443, metricsPort: 9464, rootFingerprint: 'AB:CD', cache: { ready } } as unknown as Status;
}

async function everythingIn(folder: string, below = ''): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) for (const [name, text] of await everythingIn(folder, path)) found.set(name, text);
    else if (entry.isFile()) found.set(`/${path}`, await readFile(join(folder, path), 'utf8'));
  }
  return found;
}
