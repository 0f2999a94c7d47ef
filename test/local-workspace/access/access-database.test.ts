import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openAccessDatabase } from '../../../src/local-workspace/access/access-database.ts';
import { BANK, createAccessRig, endOf, resultOf } from './rig.ts';

test('tokens, revocations, requests and decisions survive a restart', async (t) => {
  const rig = await createAccessRig(t);
  const [reader, revoked, support] = [rig.token('reader'), rig.token('owner'), rig.token('support')];
  resultOf(rig.access().tokens.revoke(rig.access().operator, BANK, revoked.id));
  const [approved, open] = [rig.request(support, 'contributor'), rig.request(support, 'owner')];
  resultOf(rig.access().requests.decide(rig.access().operator, BANK, approved.id, 'approved', 'ok'));
  const seen = (): unknown => [rig.access().tokens.list(BANK), rig.access().requests.list(rig.access().operator, BANK)];
  const before = seen();
  await rig.restart();
  assert.deepEqual(seen(), before);
  assert.equal(endOf(rig.ask(reader.secret, 'query')), 'done');
  assert.equal(endOf(rig.ask(revoked.secret, 'query')), '403 InvalidAuthenticationToken');
  assert.equal(endOf(rig.ask(support.secret, 'export.create')), 'done');
  assert.equal(endOf(rig.access().requests.decide(rig.access().operator, BANK, open.id, 'rejected', 'no')), 'done');
});

test('no secret is in the files, the audit entries, the events or the refusals', async (t) => {
  const rig = await createAccessRig(t);
  const tokens = (['reader', 'contributor', 'data-purger', 'owner', 'support'] as const).map((role) => rig.token(role));
  const said: unknown[] = [];
  for (const { secret } of tokens) {
    said.push(rig.ask(secret, 'lock.lift'), rig.ask(`${secret}x`, 'query'), rig.ask(secret.replace('rlw_', 'rlw-'), 'query'));
  }
  const files = await readdir(rig.dataFolder);
  assert.ok(files.includes('access.sqlite-wal'));
  const bytes = [
    ...(await Promise.all(files.map((name) => readFile(join(rig.dataFolder, name))))),
    Buffer.from(JSON.stringify([said, rig.entries, rig.events])),
  ];
  assert.ok(bytes.some((each) => each.includes('data-purger')));
  for (const { secret } of tokens) {
    const raw = Buffer.from(secret.slice(-43), 'base64url');
    for (const marker of [secret, secret.slice(-43), secret.slice(-20), raw, raw.toString('hex')]) assert.ok(bytes.every((each) => !each.includes(marker)));
  }
});

test('only the owner of the files may read them', async (t) => {
  const rig = await createAccessRig(t);
  rig.token('reader');
  for (const name of await readdir(rig.dataFolder)) assert.equal((await stat(join(rig.dataFolder, name))).mode & 0o777, 0o600, name);
});

test('what was granted and decided cannot be changed or removed by any statement', async (t) => {
  const rig = await createAccessRig(t);
  const [reader, support] = [rig.token('reader'), rig.token('support')];
  const { id } = rig.request(support, 'reader');
  resultOf(rig.access().requests.decide(rig.access().operator, BANK, id, 'rejected', 'no'));
  resultOf(rig.access().tokens.revoke(rig.access().operator, BANK, reader.id));
  const database = new DatabaseSync(join(rig.dataFolder, 'access.sqlite'));
  t.after(() => database.close());
  for (const [table, column] of Object.entries({ tokens: 'role', token_workspaces: 'token_id', revocations: 'at', requests: 'role', steps: 'step' })) {
    assert.notEqual(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'], 0, table);
    for (const statement of [`UPDATE ${table} SET ${column} = ${column}`, `DELETE FROM ${table}`, `INSERT OR REPLACE INTO ${table} SELECT * FROM ${table}`]) {
      assert.throws(() => database.exec(statement), /are a history|decided once/, statement);
    }
  }
  const approve = `INSERT INTO steps (request_id, step, at, by_kind, by_id, by_name, comment) VALUES ('${id}', 'approved', 0, 'token', 'x', 'x', 'x')`;
  assert.throws(() => database.exec(approve), /decided once/);
});

test('a file of a newer release is refused with its name, and left as it is', async (t) => {
  const rig = await createAccessRig(t);
  const database = new DatabaseSync(join(rig.dataFolder, 'access.sqlite'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await assert.rejects(openAccessDatabase(rig.dataFolder), { code: 'relay.local-workspace.database-unusable', message: /access\.sqlite.*format 99/ });
});
