import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import type { KeyUnavailable } from '../../../src/local-workspace/keys/key-provider.ts';
import { createKeyProviders } from '../../../src/local-workspace/keys/key-providers.ts';
import type { KeySettings } from '../../../src/local-workspace/keys/keys-settings.ts';
import { createServiceKeys } from '../../../src/local-workspace/keys/service-keys.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makeSoftToken } from './soft-token.ts';
import { BANK, PLANT } from './workspaces.ts';

const PIN = 'MARKER-PIN';
const WRONG_PIN = 'MARKER-WRONG';

function providers(warnings: string[] = []): ReturnType<typeof createKeyProviders> {
  const serviceKeys = createServiceKeys({ path: '/nowhere/service-keys.json', clock: systemClock });
  return createKeyProviders({ serviceKeys, clock: systemClock, warn: (message) => void warnings.push(message) });
}

async function refused(answer: Promise<{ readonly outcome: string }>): Promise<string> {
  const { outcome, reason } = (await answer) as KeyUnavailable;
  assert.equal(outcome, 'unavailable');
  assert.ok(!reason.includes('MARKER'), reason);
  return reason;
}

test('a wrong PIN is given to the token once, however many workspaces ask how often, until its file holds another', async () => {
  await using folder = await temporaryFolder();
  const token = await makeSoftToken(folder.path, PIN);
  await token.makeKey('01');
  const of = providers();
  const { settings } = token;
  await writeFile(settings.pinFile, `${WRONG_PIN}\n`);
  assert.match(await refused(of(settings).currentKeyId({ workspaceId: BANK })), /^the token "relay" did not do it: .*CKR_PIN_INCORRECT/);
  for (const workspaceId of [BANK, PLANT, BANK, PLANT]) {
    assert.match(await refused(of(settings).currentKeyId({ workspaceId })), /refused the PIN in .*\. It is not given again, lest the token lock itself/);
  }
  await writeFile(settings.pinFile, `${PIN}\n`);
  assert.deepEqual(await of(settings).currentKeyId({ workspaceId: BANK }), { outcome: 'known', keyId: '01' });
});

test('what is wrong with the settings of a token is said, without its PIN', async () => {
  await using folder = await temporaryFolder();
  const token = await makeSoftToken(folder.path, PIN);
  await token.makeKey('01');
  const { settings } = token;
  const emptyFile = `${folder.path}/empty`;
  await writeFile(emptyFile, '\n', { mode: 0o600 });
  const zeroFile = `${folder.path}/zero`;
  await writeFile(zeroFile, `${PIN}\0`, { mode: 0o600 });
  for (const [wrong, reason] of [
    [{ tokenLabel: 'other' }, /^the token "other" did not do it: No slot with token named "other" found$/],
    [{ keyLabel: 'other' }, /^the token "relay" has no public key with the label "other" and an id$/],
    [{ module: '/nowhere/token.so' }, /^the token "relay" did not do it: Failed to load pkcs11 module$/],
    [{ pinFile: '/nowhere/pin' }, /^The secret file \/nowhere\/pin cannot be read/],
    [{ pinFile: emptyFile }, /^the PIN's file .* is empty$/],
    [{ pinFile: zeroFile }, /holds a byte of zero/],
  ] as const) {
    const provider = providers()({ ...settings, ...wrong } as KeySettings);
    assert.match(await refused(provider.wrap(randomBytes(32), { workspaceId: BANK })), reason);
  }
});

test('a token whose library cannot do the hash that is wanted says so when it is tried', async () => {
  await using folder = await temporaryFolder();
  const token = await makeSoftToken(folder.path, PIN);
  await token.makeKey('01');
  const provider = providers()({ ...token.settings, oaepHash: 'sha256' });
  const key = await provider.wrap(randomBytes(32), { workspaceId: BANK });
  assert.ok(key.outcome === 'wrapped');
  // SoftHSM 2.6 has SHA-1 alone for OAEP.
  assert.match(await refused(provider.unwrap(key, { workspaceId: BANK })), /C_DecryptInit failed: rv = CKR_ARGUMENTS_BAD/);
});

test("that others may read the PIN's file is said once", async () => {
  await using folder = await temporaryFolder();
  const token = await makeSoftToken(folder.path, PIN);
  await token.makeKey('01');
  await chmod(token.settings.pinFile, 0o644);
  const warnings: string[] = [];
  const of = providers(warnings);
  for (const workspaceId of [BANK, PLANT]) await of(token.settings).currentKeyId({ workspaceId });
  assert.equal(warnings.length, 1);
  assert.ok(warnings[0]?.includes('chmod 600'));
});
