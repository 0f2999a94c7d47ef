/** What stands around the machine, on the host: a local workspace upstream, machines that send, and an oracle that knows what was acknowledged. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { createLocalWorkspace, type LocalWorkspace } from '../../src/local-workspace/local-workspace.ts';
import { silentLogger } from '../../src/logger.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { createOracle, type Oracle } from '../../test/support/oracle.ts';

export const WORKSPACE: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
/** A name that no resolver knows: the machine is told its address. */
export const UPSTREAM_NAME = 'upstream.test';
const KEY_BYTES = 64;
const ENROLMENT_KEY_BYTES = 64;

export interface Site extends AsyncDisposable {
  readonly local: LocalWorkspace;
  readonly dataFolder: string;
  /** The service's address, by its name. */
  readonly endpoint: string;
  readonly sharedKey: string;
  /** Its authority (PEM). */
  readonly trust: string;
  /** The key that machines enrol with. */
  readonly enrolmentKey: string;
  readonly oracle: Oracle;
}

export async function openSite(folder: string): Promise<Site> {
  const sharedKey = randomBytes(KEY_BYTES).toString('base64');
  const dataFolder = join(folder, 'upstream');
  const local = createLocalWorkspace(
    { dataFolder, address: '0.0.0.0', port: 0, names: [UPSTREAM_NAME], workspaces: [{ id: WORKSPACE, key: sharedKey }] },
    { clock: systemClock, log: silentLogger },
  );
  const { url, rootPath } = await local.start();
  return {
    local,
    dataFolder,
    endpoint: url,
    sharedKey,
    trust: await readFile(rootPath, 'utf8'),
    enrolmentKey: randomBytes(ENROLMENT_KEY_BYTES).toString('base64'),
    oracle: createOracle(),
    [Symbol.asyncDispose]: () => local.stop(),
  };
}
