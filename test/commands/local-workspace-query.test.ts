// The command as a process, against the real plugin on a socket and over TLS; the engine alone is played.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { server as createServer, type ServerOptions } from '@hapi/hapi';
import { openAuthority } from '../../src/authority/authority.ts';
import { systemClock } from '../../src/clock.ts';
import { controlPath } from '../../src/local-workspace/control/control-client.ts';
import { queryApi } from '../../src/local-workspace/query/api/query-api.ts';
import type { AskedQuery, QueryAnswer, TableAnswer } from '../../src/local-workspace/query/api/query-runner.ts';
import { silentLogger } from '../../src/logger.ts';
import { actorOf, BANK } from '../local-workspace/query/api/query-api-rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await temporaryFolder();
  t.after(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

const TABLE: TableAnswer = {
  kind: 'table',
  columns: [
    { name: 'Computer', type: 'string' },
    { name: 'count_', type: 'long' },
  ],
  rows: [
    ['web01', 3],
    ['db, "old"', null],
  ],
  scannedRows: 4,
};

/** The plugin with an engine that gives `answer`; what it was asked. */
async function serve(t: TestContext, options: ServerOptions, answer: QueryAnswer, hasTables = true): Promise<AskedQuery[]> {
  const asked: AskedQuery[] = [];
  const server = createServer({ debug: false, ...options });
  const runner = {
    run: async (query: AskedQuery): Promise<QueryAnswer> => {
      asked.push(query);
      return answer;
    },
  };
  await server.register(
    queryApi({
      runner,
      tables: async () => (hasTables ? [{ name: 'T', columns: [] }] : []),
      authorise: ({ headers }) =>
        options.tls === undefined || headers['authorization'] === 'Bearer rlw_good'
          ? { allowed: true, actor: actorOf('ann') }
          : { allowed: false, refusal: { status: 403, code: 'InvalidAuthenticationToken', message: 'The access token is invalid.' } },
      audited: () => {},
      auditedSavedQuery: () => {},
      clock: systemClock,
      log: silentLogger,
      newId: randomUUID,
    }),
  );
  await server.start();
  t.after(() => server.stop({ timeout: 0 }));
  return asked;
}

async function onSocket(t: TestContext, answer: QueryAnswer = TABLE, hasTables = true): Promise<{ dataFolder: string; asked: AskedQuery[] }> {
  const dataFolder = await folderOf(t);
  return { dataFolder, asked: await serve(t, { port: controlPath(dataFolder) }, answer, hasTables) };
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], stdin = ''): Promise<Ran> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'run-query.ts'), '--workspace', BANK, ...args]);
  child.stdin.end(stdin);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null]>]);
  return { code, out, err };
}

test('the operator asks at the socket: as a table, as CSV, as JSON', async (t) => {
  const { dataFolder, asked } = await onSocket(t);
  const query = 'T | summarize count() by Computer';
  const table = await run(['--data', dataFolder, query, '--timespan', 'PT1H', '--wait', '20']);
  assert.deepEqual(table, { code: 0, out: 'Computer   count_\nweb01      3\ndb, "old"\n', err: '' });
  assert.equal((await run(['--data', dataFolder, query, '--format', 'csv'])).out, 'Computer,count_\r\nweb01,3\r\n"db, ""old""",\r\n');
  assert.equal((await run(['--data', dataFolder, query, '--json'])).out, '[{"Computer":"web01","count_":3},{"Computer":"db, \\"old\\"","count_":null}]\n');
  const [first] = asked;
  assert.deepEqual([first?.text, first?.workspaceId, first?.timeoutMs], [query, BANK, 20_000]);
  assert.equal((first?.timespan?.to ?? 0) - (first?.timespan?.from ?? 0), 3_600_000);
});

test('the query comes from standard input or from a file, and from one of them only', async (t) => {
  const { dataFolder, asked } = await onSocket(t);
  const file = join(dataFolder, 'query.kql');
  await writeFile(file, '\nT\n| count\n');
  assert.equal((await run(['--data', dataFolder, '-'], 'T | take 1\n')).code, 0);
  assert.equal((await run(['--data', dataFolder, '--file', file])).code, 0);
  assert.deepEqual(
    asked.map((each) => each.text),
    ['T | take 1', 'T\n| count'],
  );
  for (const args of [[], ['T', '--file', file], ['-'], ['--file', `${file}.not`]]) {
    const { code, err } = await run(['--data', dataFolder, ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, /Give the query once|The query is empty|cannot be read/);
  }
  assert.equal(asked.length, 2);
});

test('a fault in the query is shown in its line, and is a wrong argument', async (t) => {
  const fault = { kind: 'syntax-error', message: "Query could not be parsed at 'wher' on line [2,2]", line: 2, position: 3, offset: 4, token: 'wher' } as const;
  const { dataFolder } = await onSocket(t, fault);
  assert.deepEqual(await run(['--data', dataFolder, 'T\n| wher A']), {
    code: 2,
    out: '',
    err: "  | wher A\n    ^\nQuery could not be parsed at 'wher' on line [2,2]\n",
  });
});

test('an answer that is cut short is printed, told of, and ends with its own code', async (t) => {
  const { dataFolder } = await onSocket(t, { ...TABLE, truncated: { reason: 'rows' } });
  const { code, out, err } = await run(['--data', dataFolder, 'T', '--json']);
  assert.equal(code, 4);
  assert.equal(JSON.parse(out).length, 2);
  assert.match(err, /exceed the set limit of 500000 records/);
});

test('a workspace without data says so', async (t) => {
  const { dataFolder } = await onSocket(t, TABLE, false);
  assert.deepEqual(await run(['--data', dataFolder, 'T']), { code: 0, out: 'No rows.\n', err: 'The workspace has no data yet.\n' });
});

test('a chart is drawn in a pipe too when it is asked for', async (t) => {
  const columns = [{ name: 'TimeGenerated', type: 'datetime' } as const, { name: 'n', type: 'long' } as const];
  const { dataFolder } = await onSocket(t, { kind: 'table', columns, rows: [['2026-11-29T08:00:00Z', 1]], scannedRows: 1 });
  const { out } = await run(['--data', dataFolder, 'T', '--chart', '--ascii']);
  assert.match(out, /^n by TimeGenerated\n1 \|#+\n/);
});

test('nobody at the socket is a process that does not run', async (t) => {
  const { code, err } = await run(['--data', await folderOf(t), 'T']);
  assert.equal(code, 3);
  assert.match(err, /No local workspace runs on .*Start one with: relay local-workspace start/);
});

test('over HTTPS it asks with the token of a file, trusts the root it is given, and never shows the token', async (t) => {
  const folder = await folderOf(t);
  const authority = await openAuthority(join(folder, 'authority'), Date.now);
  const { certificate: cert, privateKey: key } = await authority.serverIdentity(['localhost'], 30);
  const listener = createTlsServer({ cert, key });
  await serve(t, { listener, tls: true, port: 0, host: 'localhost' }, TABLE);
  const { port } = listener.address() as { port: number };
  const [good, bad, broken] = [join(folder, 'good'), join(folder, 'bad'), join(folder, 'broken')];
  await writeFile(good, 'rlw_good\n', { mode: 0o600 });
  await writeFile(bad, 'rlw_bad\n', { mode: 0o600 });
  await writeFile(broken, 'rlw_bad\nX-Other: 1\n', { mode: 0o600 });
  const at = ['--url', `https://localhost:${port}`, 'T', '--root', join(folder, 'authority', 'root.pem')];

  assert.equal((await run([...at, '--token-file', good, '--format', 'csv'])).out, 'Computer,count_\r\nweb01,3\r\n"db, ""old""",\r\n');
  const refused = await run([...at, '--token-file', bad]);
  assert.deepEqual(refused, { code: 1, out: '', err: 'The access token is invalid.\n' });
  const untrusted = await run(['--url', `https://localhost:${port}`, 'T', '--token-file', good]);
  assert.equal(untrusted.code, 3);
  const twoLines = await run([...at, '--token-file', broken]);
  assert.equal(twoLines.code, 2);
  for (const { out, err } of [refused, untrusted, twoLines]) assert.doesNotMatch(out + err, /rlw_/);
});

test('an address that is no HTTPS, both ways at once and none at all are wrong arguments', async (t) => {
  const folder = await folderOf(t);
  const cases: [string[], RegExp][] = [
    [['--url', 'http://localhost:1', '--token-file', 'x'], /It must be an address such as https/],
    [['--url', 'https://user:secret@localhost', '--token-file', 'x'], /It must be an address/],
    [['--url', 'https://localhost', '--data', folder], /cannot be used with/],
    [['--url', 'https://localhost'], /Say whom to ask/],
    [[], /Say whom to ask/],
  ];
  for (const [args, problem] of cases) {
    const { code, err } = await run([...args, 'T']);
    assert.ok(code === 2 || code === 1, args.join(' '));
    assert.match(err, problem);
  }
});
