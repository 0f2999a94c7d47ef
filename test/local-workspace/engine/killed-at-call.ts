import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const CALLS = ['fdatasyncSync', 'fsyncSync', 'ftruncateSync', 'renameSync', 'rmSync', 'writeSync'] as const;

/** Has this process killed right before its n-th call that changes something on disk, from now on; 0: never. The staging log's own writes do not count. */
export function dieAtCall(n: number): void {
  let calls = 0;
  const count = (): void => {
    calls += 1;
    if (calls === n) process.kill(process.pid, 'SIGKILL');
  };
  const counted = (real: (...given: unknown[]) => unknown) =>
    function (this: unknown, ...given: unknown[]): unknown {
      // What is told to the test is no change.
      if (given[0] !== 1) count();
      return real.apply(this, given);
    };
  for (const name of CALLS) Object.assign(fs, { [name]: counted(fs[name] as (...given: unknown[]) => unknown) });
  syncBuiltinESMExports();
  // A transaction begins and ends by it.
  Object.assign(DatabaseSync.prototype, { exec: counted(DatabaseSync.prototype.exec as (...given: unknown[]) => unknown) });
}
