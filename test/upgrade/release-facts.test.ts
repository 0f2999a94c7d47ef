import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { createBatchId } from '../../src/batch/batch-id.ts';
import { sealBatch } from '../../src/batch/envelope.ts';
import { encodeGroup, type GroupId } from '../../src/cache/segment-format.ts';
import { openDatabase } from '../../src/management-group/database.ts';
import { layoutOf } from '../../src/management-group/stored-database.ts';
import { ownSecretsWith } from '../../src/own-secrets.ts';
import { releaseFactsSchema } from '../../src/upgrade/facts-schema.ts';
import { factsOfCode, releaseFormats } from '../../src/upgrade/release-facts.ts';
import { generateKeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { open } from '../../src/workspace/seal.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('what a release says that it writes is what its code writes: the numbers are in the bytes', async () => {
  await using folder = await temporaryFolder();
  const database = join(folder.path, 'management-group.sqlite');
  openDatabase(database).close();
  const keys = openKeyRing(JSON.stringify(generateKeyRing()));
  const [agentId, id] = [parseAgentId('9f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'), createBatchId(1, randomFillSync)];
  const origin = { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: {} } as const;
  const batch: Batch = { workspaceId: BANK, kind: 'Event', agentId, id, dataType: 'X', solution: 'Y', receivedAt: 1, origin, body: Buffer.from('{}') };
  const sealed = Buffer.concat(sealBatch(batch, keys));
  const { envelope } = releaseFormats;
  const plain = open(sealed, (keyId) => keys.workspaceKey(BANK, keyId), `relay batch v${envelope?.writes} ${BANK} Event ${agentId} ${id}`);
  const group = encodeGroup({ id: 'a.1' as GroupId, workspaceId: BANK, kind: 'Event', members: [] }, []);
  const secret = join(folder.path, 'secret');
  await ownSecretsWith(Buffer.alloc(32)).write(secret, 'x');

  const written = {
    managementGroup: layoutOf(database),
    seal: sealed.readUInt8(0),
    envelope: plain.readUInt8(0),
    segment: Number(group.toString('latin1', 3, 4)),
    ownSecrets: Number((await readFile(secret, 'utf8')).split(' ')[1]),
  };
  for (const [name, number] of Object.entries(written)) assert.equal(releaseFormats[name]?.writes, number, name);
});

test('a release reads what it writes', () => {
  for (const [name, { reads, writes }] of Object.entries(releaseFormats)) assert.ok(reads.includes(writes), name);
});

test('relay upgrade --facts prints them for whoever makes the release.json', async () => {
  const facts = JSON.parse(await runWell(['upgrade', '--facts'])) as object;
  assert.deepEqual(facts, factsOfCode);
  const release = { name: 'ops-relay', version: '1.2.3', builtAt: '2026-11-28T00:00:00.000Z', node: '24.21.0', commit: 'abc', ...facts };
  assert.deepEqual(releaseFactsSchema.parse(release).formats, releaseFormats);
});
