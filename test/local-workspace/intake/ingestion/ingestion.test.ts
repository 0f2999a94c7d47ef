import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { BANK, outcomeOf, PLANT, startRig } from '../../rig.ts';
import { APP, codeOf, declarationOf, OTHER_APP, RULE, STREAMS, startCloud, tokenOf, upload } from './cloud.ts';

// The beginning of a minute not long ago, for certificates are checked by the machine's own clock.
const NOW = Math.floor(Date.now() / 60_000) * 60_000;
const HOUR = 3_600_000;

test('each api-version is taken, also with its name percent-encoded, and no other', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  for (const [version, expected] of [
    ['2023-01-01', '204'],
    ['2023-04-01-preview', '204'],
    ['2021-11-01-preview', '204'],
    ['2022-01-01', '400 InvalidApiVersionParameter'],
    ['', '400 MissingApiVersionParameter'],
  ] as const) {
    assert.equal(codeOf(await upload(rig, [{ HostName: 'a' }], { token, version })), expected, version);
  }
  assert.equal((await upload(rig, [{ HostName: 'a' }], { token, version: '', stream: 'Custom-Syslog?api%2Dversion=2023-01-01' })).status, 204);
});

test('a rule or stream that is not there, and an app without its role, are refused', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  const records = [{ HostName: 'a' }];
  assert.equal(codeOf(await upload(rig, records, { token, rule: `dcr-${'f'.repeat(32)}` })), '404 NotFound');
  assert.equal(codeOf(await upload(rig, records, { token, stream: 'Custom-Other' })), '404 NotFound');
  assert.equal(codeOf(await upload(rig, records, { token, stream: 'constructor' })), '404 NotFound');
  const forbidden = await upload(rig, records, { token: await tokenOf(rig, OTHER_APP) });
  assert.equal(codeOf(forbidden), '403 OperationFailed');
  assert.match(forbidden.text, new RegExp(`'${RULE}'.*PipelineAccessResult.*IsDcrDceBindingValid`));
  rig.local.declare(declarationOf({ allowedApps: [APP, OTHER_APP] }));
  assert.equal((await upload(rig, records, { token: await tokenOf(rig, OTHER_APP) })).status, 204);
});

test('a body that is no gzip or no JSON array of objects is refused as a whole', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  const gzip = { 'content-encoding': 'gzip' };
  const cases: [unknown, Record<string, string>, string][] = [
    [[], {}, '204'],
    [Buffer.from(''), {}, '500'],
    [null, {}, '500'],
    [{ HostName: 'a' }, {}, '400 InvalidPayload'],
    [[{ HostName: 'a' }, 1], {}, '400 InvalidPayload'],
    [Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), {}, '400 InvalidPayload'],
    [[{ HostName: { a: { b: 1 } } }], {}, '400 InvalidPayload'],
    [[{ HostName: 'a' }], gzip, '400 InvalidPayload'],
    [gzipSync('[{"HostName":"zipped"}]'), gzip, '204'],
    [deflateSync('[{"HostName":"a"}]'), { 'content-encoding': 'deflate' }, '400 InvalidContentEncoding'],
    [[{ HostName: 'a' }], { 'content-type': 'text/plain' }, '400 InvalidContentType'],
  ];
  for (const [body, headers, expected] of cases) assert.equal(codeOf(await upload(rig, body, { token, headers })), expected, JSON.stringify(body));
  assert.deepEqual(
    (await rig.local.rows(BANK, 'Syslog')).map(({ HostName }) => HostName),
    ['zipped'],
  );
});

test('1,048,576 bytes on the wire are taken, one more is not; inflated it may be 50 MiB', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  const bodyOf = (bytes: number): Buffer => Buffer.from('[{"HostName":"a"}]'.padEnd(bytes, ' '));
  const gzip = { 'content-encoding': 'gzip' };
  assert.equal((await upload(rig, bodyOf(1_048_576), { token })).status, 204);
  const large = await upload(rig, bodyOf(1_048_577), { token });
  assert.equal(codeOf(large), '413 ContentLengthLimitExceeded');
  assert.match(large.text, /1048576 bytes.*1048577 bytes/);
  assert.equal((await upload(rig, gzipSync(bodyOf(50 * 1_048_576)), { token, headers: gzip })).status, 204);
  assert.equal(codeOf(await upload(rig, gzipSync(bodyOf(50 * 1_048_576 + 1)), { token, headers: gzip })), '413 PayloadSizeLimitExceeded');
});

test('an Auxiliary table takes 30 minutes in one call, and nothing of one that spans more', async (t) => {
  const rig = await startCloud(t, declarationOf(), { now: () => NOW, after: () => () => {} });
  const token = await tokenOf(rig);
  const spanning = (ms: number): object[] => [0, ms].map((offset) => ({ TimeGenerated: new Date(NOW - offset).toISOString(), CounterValue: 1 }));
  assert.equal((await upload(rig, spanning(1_800_000), { token, stream: 'Custom-Perf_CL' })).status, 204);
  assert.equal(codeOf(await upload(rig, spanning(1_800_001), { token, stream: 'Custom-Perf_CL' })), '400 RecordsTimeRangeIsMoreThan30Minutes');
  assert.equal((await upload(rig, spanning(1_800_001), { token })).status, 204);
  assert.equal((await rig.local.rows(BANK, 'Perf_CL')).length, 2);
});

test('more than two days ago, or more than one ahead, TimeGenerated becomes the time of receipt', async (t) => {
  const rig = await startCloud(t, declarationOf(), { now: () => NOW, after: () => () => {} });
  const token = await tokenOf(rig);
  const times = [NOW - 48 * HOUR, NOW - 48 * HOUR - 1, NOW + 24 * HOUR, NOW + 24 * HOUR + 1].map((time) => new Date(time).toISOString());
  await upload(
    rig,
    [...times, undefined, 'nonsense'].map((TimeGenerated) => ({ TimeGenerated })),
    { token },
  );
  const received = new Date(NOW).toISOString();
  const rows = await rig.local.rows(BANK, 'Syslog');
  assert.deepEqual(
    rows.map(({ TimeGenerated }) => TimeGenerated),
    [times[0], received, times[2], received, received, received],
  );
  assert.ok(rows.every(({ _TimeReceived }) => _TimeReceived === received));
});

test('a rule over its budget says when to come again, and takes the next minute', async (t) => {
  let now = NOW + 15_000;
  const other = `dcr-${'1'.repeat(32)}`;
  const streams = STREAMS;
  const declared = declarationOf({ requestsPerMinute: 2, bytesPerMinute: 1_000 });
  const rules = [...(declared.rules ?? []), { immutableId: other, workspace: PLANT, streams, allowedApps: [APP] }];
  const rig = await startCloud(t, { ...declared, rules }, { now: () => now, after: () => () => {} });
  const token = await tokenOf(rig);
  const send = (rule = RULE, length = 10) => upload(rig, [{ HostName: 'x'.repeat(length) }], { token, rule });
  assert.deepEqual([(await send()).status, (await send()).status], [204, 204]);
  const refused = await send();
  assert.deepEqual([codeOf(refused), refused.headers['retry-after']], ['429 TooManyRequests', '45']);
  assert.equal((await send(other)).status, 204);
  now += 45_000;
  assert.deepEqual([(await send(RULE, 800)).status, (await send(RULE, 800)).status], [204, 429]);
  assert.deepEqual([(await rig.local.rows(BANK, 'Syslog')).length, (await rig.local.rows(PLANT, 'Syslog')).length], [3, 1]);
});

test('a call is kept with what came over the wire, and no row can be changed', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  const body = gzipSync('[{"HostName":"a"},{"HostName":"b"}]');
  await upload(rig, body, { token, headers: { 'content-encoding': 'gzip', 'x-ms-client-request-id': 'r1' } });
  const [call] = rig.local.calls(BANK);
  const sha256 = createHash('sha256').update(body).digest('hex');
  assert.deepEqual(
    { ...call, receivedAt: '' },
    {
      seq: 1,
      immutableId: RULE,
      stream: 'Custom-Syslog',
      table: 'Syslog',
      clientId: APP,
      requestId: 'r1',
      receivedAt: '',
      sha256,
      wireBytes: body.length,
      rawBytes: 35,
      rows: 2,
    },
  );
  assert.deepEqual(rig.local.tables(), [{ workspaceId: BANK, table: 'Syslog', calls: 1, rows: 2, wireBytes: body.length, rawBytes: 35 }]);
  assert.deepEqual(rig.local.tables(PLANT), []);
});

test('a sink counts calls without opening them', async (t) => {
  const rig = await startRig(t, { sink: true, ingestion: declarationOf() });
  const token = await tokenOf(rig);
  assert.equal((await upload(rig, Buffer.from('nonsense'), { token })).status, 204);
  assert.deepEqual(rig.local.tables(BANK), [{ workspaceId: BANK, table: 'Syslog', calls: 1, rows: 0, wireBytes: 8, rawBytes: 0 }]);
});

test('every answer of the API can be asked for, as often as wanted, and a lost answer keeps the data', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  const send = () => upload(rig, [{ HostName: 'a' }], { token });
  for (const status of [200, 202, 400, 404, 408, 413, 500, 501, 503]) {
    await rig.local.setFault({ mode: 'status', status, path: 'ingestion', workspace: BANK });
    assert.equal((await send()).status, status);
  }
  await rig.local.setFault({ mode: 'unauthorized', times: 1 });
  const unauthorized = await send();
  assert.equal(codeOf(unauthorized), '401 AuthenticationFailed');
  assert.match(String(unauthorized.headers['www-authenticate']), /error="invalid_token"/);
  assert.equal((await send()).status, 204);
  await rig.local.setFault({ mode: 'forbidden', workspace: BANK });
  assert.equal(codeOf(await send()), '403 OperationFailed');
  await rig.local.setFault({ mode: 'forbidden', workspace: PLANT });
  assert.equal((await send()).status, 204);
  await rig.local.setFault({ mode: 'lost-answer', times: 1 });
  assert.equal(await outcomeOf(send()), 'ECONNRESET');
  assert.equal((await send()).status, 204);
  assert.equal((await rig.local.rows(BANK, 'Syslog')).length, 4);
});
