/** For `rewrap-killed.test.ts`: has a workspace's data key wrapped by two key files in turn, until it is killed; writes a dot for each time. */
import { systemClock } from '../../../src/clock.ts';
import { createFileKeyProvider } from '../../../src/local-workspace/keys/file-key-provider.ts';
import { openWorkspaceKeys } from '../../../src/local-workspace/keys/workspace-keys.ts';
import { createLogger } from '../../../src/logger.ts';
import { BANK } from './workspaces.ts';

const [folder = '', ...files] = process.argv.slice(2);
const [provider, other] = files.map((path) => createFileKeyProvider(path, () => {}));
if (!provider || !other) throw new Error('a folder and two key files');

const settings = { rotateEvery: 90, checkEvery: 30 };
const log = createLogger('silent');
const keys = await openWorkspaceKeys({ workspaceId: BANK, folder, isFresh: true, provider, others: [other], settings, clock: systemClock, log });
for (;;) {
  for (const to of [other, provider]) {
    await keys.changeProvider(to);
    process.stdout.write('.');
  }
}
