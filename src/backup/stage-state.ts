/** Takes the state out of an archive into a folder beside its place, whole and durable, before anything of the machine is touched. */
import { createWriteStream } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, syncFolder } from '../files.ts';
import { factsOfCopy } from '../management-group/copy.ts';
import type { OwnSecrets } from '../own-secrets.ts';
import type { InspectedBackup } from './inspect-backup.ts';
import { pathInState, stateOf } from './members.ts';
import { type OpenedMember, readArchive } from './read-archive.ts';
import { DATABASE } from './state-files.ts';

const ROOT_CERTIFICATE = 'authority/root.pem';
const ANYBODY_MAY_READ = 0o644;

/** Fills `staging`; keys are sealed by `secrets`. Throws what reading throws, `relay.restore.cannot-write`, `relay.backup.damaged` when the file is not the one that was inspected. */
export async function stageState({ file, sums, contents }: InspectedBackup, staging: string, secrets: OwnSecrets): Promise<void> {
  const folders = new Set<string>([staging]);
  const read = await readArchive(file, async (member) => {
    const inState = pathInState(member.name);
    if (inState === undefined) return;
    const target = join(staging, inState);
    try {
      await makePrivateFolder(dirname(target));
      folders.add(dirname(target));
      const secret = stateOf(member.name)?.isOwnSecret ? contents.get(member.name) : undefined;
      if (secret) await secrets.write(target, secret);
      else await write(member, target);
    } catch (cause) {
      // What the archive itself says is wrong is told as it is.
      if (cause instanceof RelayError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
      throw new RelayError(
        'relay.restore.cannot-write',
        `${target} could not be written. Nothing of this machine was changed. Check the rights and the space on its disk.`,
        { cause },
      );
    }
  });
  if (read.length !== sums.length || read.some(({ sha256 }, at) => sha256 !== sums[at]?.sha256))
    throw new RelayError('relay.backup.damaged', `The backup ${file.path} was changed while it was read. Nothing of this machine was changed.`);
  await chmod(join(staging, ROOT_CERTIFICATE), ANYBODY_MAY_READ);
  for (const folder of folders) await syncFolder(folder);
  factsOfCopy(join(staging, DATABASE));
}

async function write({ content }: OpenedMember, path: string): Promise<void> {
  await pipeline(Readable.from(content), createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
}
