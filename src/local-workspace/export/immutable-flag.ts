import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 10_000;
const run = promisify(execFile);

/** Sets the flag by which ext4, XFS and Btrfs refuse every change and removal of a file, also to root until it is taken away (`chattr -i`). Throws when it cannot. */
export async function makeImmutable(path: string): Promise<void> {
  await run('chattr', ['+i', '--', path], { timeout: TIMEOUT_MS, env: {} });
}
