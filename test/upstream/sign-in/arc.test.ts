import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../support/free-port.ts';

const SCENARIO = fileURLToPath(new URL('arc-scenario.ts', import.meta.url));

interface Outcome {
  readonly result: { readonly outcome: string; readonly token?: string; readonly reason?: string };
  readonly asked: number;
  readonly hours: number;
}

async function onArcMachine(mode: string, isConnected = true): Promise<Outcome> {
  const port = await freePort();
  const endpoints = { IDENTITY_ENDPOINT: `http://localhost:${port}/metadata/identity/oauth2/token`, IMDS_ENDPOINT: `http://localhost:${port}` };
  const asRoot = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
  const settings = { timeout: 60_000, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...(isConnected ? endpoints : {}) } };
  const { stdout } = await promisify(execFile)('unshare', [...asRoot, process.execPath, SCENARIO, String(port), mode], settings);
  return JSON.parse(stdout) as Outcome;
}

describe('signing in as a machine of Azure Arc', () => {
  it('answers the challenge with the key file and gets a token', async () => {
    assert.deepEqual(await onArcMachine('answers'), { result: { outcome: 'token', token: 'machine-2' }, asked: 2, hours: 24 });
  });

  it("says what to do when the machine's agent fails or is not there", async () => {
    const broken = await onArcMachine('broken');
    assert.match(broken.result.reason ?? '', /answered 500/);
    assert.equal(broken.asked, 1);
    assert.match((await onArcMachine('absent')).result.reason ?? '', /gives no identity: .*ECONNREFUSED.*Connect the machine to Azure Arc/);
  });

  it('asks nobody off the machine when it is not connected to Azure Arc', async () => {
    const { result, asked } = await onArcMachine('answers', false);
    assert.match(result.reason ?? '', /169\.254\.169\.254, and may not.*Connect the machine to Azure Arc/);
    assert.equal(asked, 0);
  });
});
