/** The quick part of the fault suite; the long one is `npm run test:faults`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { seeded } from '../support/seeded.ts';
import { FAULTS } from './faults.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const SEED = 20_261_123;

for (const fault of FAULTS.filter(({ quick }) => quick)) {
  test(`nothing acknowledged is lost: ${fault.name}`, async (t) => {
    if (fault.mounts) {
      const { stdout } = await promisify(execFile)(process.execPath, [MAIN, '--quick', '--seed', String(SEED), '--only', fault.name]);
      t.diagnostic(stdout);
      return;
    }
    const figures = await fault.run({ quick: true, soakMs: 0, random: seeded(SEED) });
    t.diagnostic(JSON.stringify(figures));
    assert.equal(figures.lost, 0);
  });
}
