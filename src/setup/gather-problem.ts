import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfiguration } from '../configuration/load.ts';
import { messageOf } from '../errors.ts';
import type { Places } from '../host/places.ts';
import type { Programs } from '../host/run-program.ts';
import type { Services } from '../host/services.ts';
import { SEALING_KEY } from '../own-secrets.ts';
import type { StartFacts } from './problem.ts';

const LIMIT_MS = 20_000;
/** How a file begins that systemd-creds 252 sealed by the host's key alone: CRED_AES256_GCM_BY_HOST in its creds-util.h. */
const BY_HOST = Buffer.from('5a1c6a86df9d4096b1d5a65e0862f19a', 'hex');

export interface GatherParts {
  readonly places: Places;
  readonly programs: Programs;
  readonly services: Pick<Services, 'isActive' | 'lastLines'>;
  /** /proc/self/mountinfo */
  readonly mounts?: string;
}

/** Looks why the relay did not start. What cannot be learnt counts as well, so that another cause is named instead; it never throws. */
export async function gatherProblem({ places, programs, services, mounts = '/proc/self/mountinfo' }: GatherParts): Promise<StartFacts> {
  const names = await credentialsIn(places.credentials);
  const unopened: StartFacts['unopened'][number][] = [];
  for (const name of names) {
    const found = await whyUnopened(name, places, programs);
    if (found !== undefined) unopened.push(found);
  }
  const shown = await programs.run('systemctl', ['show', '--property=ExecMainStatus', '--value', 'relay.service'], { timeoutMs: LIMIT_MS });
  return {
    isDataMounted: await isMounted(places.data, mounts),
    isRedisActive: await services.isActive('relay-redis.service'),
    hasTpm: (await programs.run('systemd-creds', ['has-tpm2', '--quiet'], { timeoutMs: LIMIT_MS })).code === 0,
    exitStatus: shown.code === 0 ? Number(shown.out.trim()) : undefined,
    unopened,
    hasSealingKey: names.includes(SEALING_KEY),
    configuration: await whyMisconfigured(places),
    lines: (await services.lastLines('relay.service')).split('\n').map(messageIn),
  };
}

// Drafts are hidden files. A folder that is not there is one without a sealing key.
async function credentialsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).toSorted();
}

// What it opens is thrown away.
async function whyUnopened(name: string, { credentials }: Places, programs: Programs): Promise<StartFacts['unopened'][number] | undefined> {
  const path = join(credentials, name);
  const { code, err } = await programs.run('systemd-creds', ['decrypt', `--name=${name}`, path, '-'], { timeoutMs: LIMIT_MS });
  if (code === 0) return undefined;
  const content = Buffer.from((await readFile(path, 'utf8').catch(() => '')).trim(), 'base64');
  const isByHostAlone = content.subarray(0, BY_HOST.length).equals(BY_HOST);
  return { name, isByHostAlone, said: err.trim().split('\n').at(-1) || `systemd-creds ended with ${code}` };
}

// The fifth field of a line is the place of a mount.
async function isMounted(place: string, mounts: string): Promise<boolean> {
  const text = await readFile(mounts, 'utf8').catch(() => undefined);
  return text === undefined || text.split('\n').some((line) => line.split(' ')[4] === place);
}

async function whyMisconfigured({ configuration }: Places): Promise<string | undefined> {
  try {
    await loadConfiguration({ file: configuration, env: {} });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : messageOf(error);
  }
}

// The relay's log lines are JSON; a person reads their message.
function messageIn(line: string): string {
  try {
    const { msg } = JSON.parse(line) as { readonly msg?: unknown };
    return typeof msg === 'string' ? msg : line;
  } catch {
    return line;
  }
}
