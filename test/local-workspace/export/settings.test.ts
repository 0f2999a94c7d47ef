import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportRequestSchema, rangeJobName } from '../../../src/local-workspace/export/requests.ts';
import { exportSettingsSchema } from '../../../src/local-workspace/export/settings.ts';
import { ensureExportSigner, fingerprintOf, publicKeyFile, readPublicKeyFile } from '../../../src/local-workspace/export/signer.ts';
import { temporaryFolder } from '../rig.ts';
import { NINE, SIGNER } from './export-rig.ts';

test('settings have defaults, and what is out of range is refused', () => {
  assert.deepEqual(exportSettingsSchema.parse({ target: '/mnt/worm' }), {
    target: '/mnt/worm',
    tables: '*',
    everyMinutes: 5,
    partMib: 64,
    immutableFlag: false,
    seal: 'none',
  });
  for (const bad of [
    {},
    { target: '' },
    { target: '/x', everyMinutes: -1 },
    { target: '/x', tables: ['../x'] },
    { target: '/x', partMib: 0 },
    { target: '/x', more: 1 },
  ]) {
    assert.equal(exportSettingsSchema.safeParse(bad).success, false, JSON.stringify(bad));
  }
});

test('the same range has the same job, and a range is asked for in ISO 8601', () => {
  assert.equal(rangeJobName(NINE, NINE + 60_000), 'range-20261129t090000000z-20261129t090100000z');
  const asked = { workspace: '11111111-1111-4111-8111-111111111111', from: '2026-11-29T09:00:00Z', to: '2026-11-29T10:00:00Z' };
  assert.ok(exportRequestSchema.safeParse(asked).success);
  assert.equal(exportRequestSchema.safeParse({ ...asked, from: 'yesterday' }).success, false);
});

test('the key of exports is made once, for its owner only, and a file that holds none is refused without showing it', async (t) => {
  const path = join(await temporaryFolder(t), 'keys', 'export.key');
  const warnings: string[] = [];
  const made = await ensureExportSigner(path, (message) => warnings.push(message));
  const again = await ensureExportSigner(path, (message) => warnings.push(message));
  assert.equal(fingerprintOf(made.publicKey), fingerprintOf(again.publicKey));
  assert.deepEqual([(await stat(path)).mode & 0o777, warnings], [0o600, []]);
  await writeFile(path, 'a secret');
  await assert.rejects(
    ensureExportSigner(path, () => {}),
    (error: Error) => /export\.key/.test(error.message) && !/a secret/.test(String(error.stack)),
  );
});

test('a public key file is read only as it is written', () => {
  const text = publicKeyFile(SIGNER.publicKey);
  const read = readPublicKeyFile(text);
  assert.equal(read && fingerprintOf(read), fingerprintOf(SIGNER.publicKey));
  for (const changed of [`${text}\n`, ` ${text}`, text.replace('\n', '\r\n'), '', 'x']) assert.equal(readPublicKeyFile(changed), undefined);
});
