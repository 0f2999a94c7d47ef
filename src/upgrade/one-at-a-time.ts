import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { RelayError } from '../errors.ts';

/** What another that was just killed still holds is free a moment later. */
const WAIT_S = '2';

/**
 * Runs `work` while no other process of this machine does so for the same folder. The lock is the kernel's (flock(2)), held by a program that ends
 * with our end of its pipe: it is free again however this process ends, and holds across namespaces. Throws `relay.upgrade.busy`, and
 * `relay.upgrade.refused` when there is no such folder.
 */
export async function oneAtATime<T>(folder: string, what: string, work: () => Promise<T>): Promise<T> {
  // It would be made as a file.
  const stats = await stat(folder).catch(() => undefined);
  if (!stats?.isDirectory())
    throw new RelayError('relay.upgrade.refused', `Nothing was changed: there is no folder ${folder}, so this machine is no appliance.`);
  const holder = spawn('flock', ['--exclusive', '--timeout', WAIT_S, folder, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  holder.stdin.on('error', () => {});
  const held = once(holder.stdout, 'data').then(() => true);
  const ended = once(holder, 'close').then(
    () => false,
    () => false,
  );
  try {
    if (!(await Promise.race([held, ended])))
      throw new RelayError(
        'relay.upgrade.busy',
        `${folder} could not be locked: another process of this machine is ${what}. Wait for its end: relay upgrade --status`,
      );
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
