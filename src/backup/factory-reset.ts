/**
 * Makes an appliance as it came: nothing of the site is left, and it asks its questions again.
 *
 * Order: the keys first. Whatever interrupts the rest, what is left of the relay's state is sealed under keys that are gone.
 */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, RelayError } from '../errors.ts';
import { writeFileAtomic } from '../files.ts';
import type { Places } from '../host/places.ts';
import type { Programs } from '../host/run-program.ts';
import type { Services } from '../host/services.ts';
import { destroyKey, emptyFolder, filesBelow } from './erase.ts';

/** What has to stop first, from the outside in. */
const UNITS = ['relay-retry.timer', 'relay-network.path', 'relay.service', 'relay-redis.service'];
const TRIM_LIMIT_MS = 10 * 60_000;

/** Files of the machine that tell of the site, beside the relay's own places. */
export interface SiteFiles {
  /** The key of this machine by which systemd-creds seals. */
  readonly hostKey: string;
  readonly removed: readonly string[];
  /** Folders whose content goes. */
  readonly emptied: readonly string[];
  /** Folders in which files of a name go: SSH host keys. */
  readonly matching: readonly { readonly folder: string; readonly name: RegExp }[];
  /** Files that get back the text they came with. */
  readonly written: readonly { readonly path: string; readonly text: string; readonly mode: number }[];
}

export interface ResetParts {
  readonly places: Places;
  readonly site: SiteFiles;
  readonly services: Services;
  readonly programs: Programs;
}

/** One thing that is done, and said. */
export interface ResetStep {
  readonly what: string;
  run(): Promise<void>;
}

/** What could not be done. */
export interface ResetFailure {
  readonly what: string;
  readonly reason: string;
}

/** The steps, in their order: `first` must succeed before anything else is touched. */
export function resetSteps({ places, site, services, programs }: ResetParts): { readonly first: readonly ResetStep[]; readonly rest: readonly ResetStep[] } {
  const configuration = dirname(places.configuration);
  const stop = { what: 'the relay and its Redis are stopped', run: () => each(UNITS, services.stop) };
  const keys = { what: 'the keys are destroyed: the sealing key, every credential, and the key of this machine', run: () => destroyKeys(places, site) };
  const state = { what: 'the state is gone: authority, agents, cache, audit log, and what Redis kept', run: () => emptyFolder(places.data, ['lost+found']) };
  const settings = {
    what: 'the configuration is gone, and what it named',
    run: () => emptyFolder(configuration, [basename(places.marker), basename(places.releaseKeys), basename(places.credentials)]),
  };
  const trial = { what: 'what an upgrade kept is gone', run: () => emptyFolder(dirname(places.trial)) };
  const machine = { what: 'names, addresses, SSH keys, logs and what cloud-init remembers are gone', run: () => forgetSite(site) };
  const trim = { what: 'the freed disk is handed back', run: async () => void (await programs.run('fstrim', ['--all'], { timeoutMs: TRIM_LIMIT_MS })) };
  return { first: [stop, keys], rest: [state, settings, trial, machine, trim] };
}

/** Carries the steps out. A failure among the first ends it there; later ones are gathered, and the rest goes on. */
export async function factoryReset(parts: ResetParts, say: (what: string) => void): Promise<readonly ResetFailure[]> {
  const { first, rest } = resetSteps(parts);
  for (const { what, run } of first) {
    try {
      await run();
      say(what);
    } catch (cause) {
      throw new RelayError(
        'relay.factory-reset.failed',
        `Nothing was erased yet, but perhaps a key: it could not be done that ${what}. Mend it and run this again.`,
        { cause },
      );
    }
  }
  const failures: ResetFailure[] = [];
  for (const { what, run } of rest) {
    try {
      await run();
      say(what);
    } catch (error) {
      failures.push({ what, reason: messageOf(error) });
    }
  }
  return failures;
}

// Whatever lies beside the credentials' folder may be older ones, which a restore moved aside.
async function destroyKeys({ credentials }: Places, { hostKey }: SiteFiles): Promise<void> {
  const older = (await filesBelow(dirname(credentials))).filter((path) => path.startsWith(credentials));
  await each([...older, hostKey], destroyKey);
}

async function forgetSite({ removed, emptied, matching, written }: SiteFiles): Promise<void> {
  await each(removed, (path) => rm(path, { force: true }));
  await each(emptied, (path) => emptyFolder(path));
  for (const { folder, name } of matching)
    await each(
      (await filesBelow(folder)).filter((path) => dirname(path) === folder && name.test(basename(path))),
      (path) => rm(path),
    );
  for (const { path, text, mode } of written) await writeFileAtomic(path, text, mode);
}

async function each<T>(things: readonly T[], work: (thing: T) => Promise<void>): Promise<void> {
  for (const thing of things) await work(thing);
}

/** The files of an appliance that tell of its site, on a machine whose file system begins at `root`; those that setup wrote are given. */
export function siteFiles(root: string, ofSetup: Pick<SiteFiles, 'removed' | 'written'>): SiteFiles {
  const at = (...names: readonly string[]): string => join(root, ...names);
  return {
    hostKey: at('var/lib/systemd/credential.secret'),
    removed: [...ofSetup.removed, at('var/lib/dbus/machine-id'), at('home/ops/.bash_history'), at('root/.bash_history')],
    emptied: [at('etc/netplan'), at('etc/systemd/network'), at('home/ops/.ssh'), at('var/lib/cloud'), at('var/log/journal')],
    matching: [
      { folder: at('etc/ssh'), name: /^ssh_host_/ },
      { folder: at('var/log'), name: /^cloud-init/ },
    ],
    written: [{ path: at('etc/machine-id'), text: '', mode: 0o444 }, { path: at('etc/hostname'), text: 'relay\n', mode: 0o644 }, ...ofSetup.written],
  };
}
