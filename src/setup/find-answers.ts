import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from '../errors.ts';
import type { Programs } from '../host/run-program.ts';
import { answersOfProperties, PROPERTY_PREFIX } from './answer-names.ts';
import type { MachineFiles } from './machine-files.ts';
import { readOvfEnvironment } from './ovf-environment.ts';
import type { RawAnswers } from './read-answers.ts';
import { answersInYaml, answersOfUserData } from './user-data.ts';

const FROM_CLOUD = "cloud-init's user-data";
const MOST_BYTES = 1024 * 1024;
const TOOLS_LIMIT_MS = 10_000;
/** What a CD with an OVF environment is, and where it is read: as root, for a moment. */
const CD_DEVICES = ['/dev/sr0', '/dev/sr1'];
const CD_FILE = 'ovf-env.xml';

export interface FindParts {
  readonly files: Pick<MachineFiles, 'userData'>;
  readonly programs: Programs;
  /** Folder where a CD may be mounted for a moment. */
  readonly mountPoint: string;
}

/** The answers that a cloud or a hypervisor holds for this machine: cloud-init's user-data, then the OVF's properties. Undefined when there are none. */
export async function findAnswers({ files, programs, mountPoint }: FindParts): Promise<RawAnswers | undefined> {
  return (await answersOfCloud(files)) ?? (await answersOfTools(programs)) ?? (await answersOfCd(programs, mountPoint));
}

/** The answers in cloud-init's copy of the user-data; undefined when there are none. Throws `relay.setup.bad-answers`. */
export async function answersOfCloud({ userData }: Pick<MachineFiles, 'userData'>): Promise<RawAnswers | undefined> {
  const text = await textOf(userData);
  const value = text === undefined ? undefined : answersOfUserData(text, FROM_CLOUD);
  return value === undefined ? undefined : { from: FROM_CLOUD, prefix: PROPERTY_PREFIX, value };
}

/** The answers in a file that the operator named: under `relay`, as in user-data, or as they are. Throws `relay.setup.bad-answers`. */
export async function answersOfFile(path: string): Promise<RawAnswers> {
  const from = `the file ${path}`;
  const text = await textOf(path);
  if (text === undefined) throw new RelayError('relay.setup.bad-answers', `The file of answers ${path} cannot be read, or is larger than ${MOST_BYTES} bytes.`);
  const value = answersInYaml(text, from) ?? {};
  return 'relay' in value ? { from, prefix: PROPERTY_PREFIX, value: value['relay'] } : { from, prefix: '', value };
}

// VMware's tools hand on the OVF environment.
async function answersOfTools(programs: Programs): Promise<RawAnswers | undefined> {
  const { code, out } = await programs.run('vmtoolsd', ['--cmd', 'info-get guestinfo.ovfEnv'], { timeoutMs: TOOLS_LIMIT_MS });
  return code === 0 ? answersOfEnvironment(out, "the virtual machine's OVF properties") : undefined;
}

// With the transport `iso` they come on a CD of their own.
async function answersOfCd(programs: Programs, mountPoint: string): Promise<RawAnswers | undefined> {
  for (const device of CD_DEVICES) {
    const mounted = await programs.run('mount', ['--read-only', '--options', 'nosuid,nodev,noexec', device, mountPoint], { timeoutMs: TOOLS_LIMIT_MS });
    if (mounted.code !== 0) continue;
    const text = await textOf(join(mountPoint, CD_FILE));
    await programs.run('umount', [mountPoint]);
    const found = text === undefined ? undefined : answersOfEnvironment(text, `the OVF properties on ${device}`);
    if (found) return found;
  }
  return undefined;
}

function answersOfEnvironment(text: string, from: string): RawAnswers | undefined {
  if (text.length > MOST_BYTES) return undefined;
  const properties = readOvfEnvironment(text);
  const value = properties === undefined ? {} : (answersOfProperties(properties) as Record<string, unknown>);
  return Object.keys(value).length === 0 ? undefined : { from, prefix: PROPERTY_PREFIX, value };
}

async function textOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size > MOST_BYTES) return undefined;
  return await readFile(path, 'utf8').catch(() => undefined);
}
