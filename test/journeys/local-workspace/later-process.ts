/**
 * For `trimming-killed.test.ts`: the bank's workspace in a process of its own whose clock is days ahead and runs a thousand times as fast, so that the
 * rounds that trim come at once. It writes a line when it is there, and is killed.
 */
import { type Clock, systemClock } from '../../../src/clock.ts';
import { createLocalWorkspace } from '../../../src/local-workspace/local-workspace.ts';
import { readSettings } from '../../../src/local-workspace/settings.ts';
import { createLogger } from '../../../src/logger.ts';
import { BANK, keyOf } from '../../local-workspace/rig.ts';

const SPEED = 1_000;
const DAY_MS = 86_400_000;

const [dataFolder = '', days = ''] = process.argv.slice(2);
const began = systemClock.now();
const clock: Clock = {
  now: () => began + Number(days) * DAY_MS + (systemClock.now() - began) * SPEED,
  after: (ms, action) => systemClock.after(ms / SPEED, action),
};
const options = { dataFolder, address: '127.0.0.1', port: 0, names: ['localhost'], workspaces: [{ id: BANK, key: keyOf(BANK) }] };
const settings = readSettings({ workspaces: { [BANK]: { retention: { graceDays: 0 } } } });
await createLocalWorkspace({ ...options, settings }, { clock, log: createLogger('warn', process.stderr) }).start();
process.stdout.write('it runs\n');
// Until it is killed.
setInterval(() => {}, DAY_MS);
