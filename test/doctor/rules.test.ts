import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { judgeRunning } from '../../src/doctor/examine-relay.ts';
import { judgeUpload, judgeUpstream } from '../../src/doctor/examine-workspace.ts';
import { type Finding, good, type Judgement, worstOf } from '../../src/doctor/finding.ts';
import { judgeCertificate, judgeDisk, judgePort, judgeRedisHealth, judgeTime } from '../../src/doctor/machine-rules.ts';
import { reportOf } from '../../src/doctor/report.ts';
import { judgeClock, judgeConnect, judgeProxy, type Towards } from '../../src/doctor/road-rules.ts';
import type { Failed, Outcome } from '../../src/doctor/within.ts';

const MIB = 2 ** 20;
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 23);
const LATE: Failed = { outcome: 'late', limitMs: 5_000 };
const PATH: Towards['path'] = { kind: 'public', proxy: { port: 8080, except: [] }, peers: [], nameServers: [], addresses: [] };
const TOWARDS: Towards = { host: 'service.example', port: 443, path: PATH, option: 'path' };

const done = <T>(value: T): Outcome<T> => ({ outcome: 'done', value });
const failed = (code: string): Failed => ({ outcome: 'failed', code, reason: 'it failed' });
const disk = (freeBytes: number, totalBytes = 1024 * MIB): Judgement =>
  judgeDisk(done({ folder: '/data', exists: true, freeBytes, totalBytes }), { data: '/data', limitBytes: undefined });
const clock = (offsetMs: number | undefined): Judgement => judgeClock(done({ status: 404, offsetMs }));
const redis = { version: '7.4.0', refusals: [], warnings: [], memoryRatio: 0, maxmemoryBytes: 0 };
const role = { what: 'your server certificate', file: '/server.pem', isRenewed: false, isNeeded: true, remedy: 'Renew it.', absent: '' };
const certificate = (daysLeft: number, isRenewed = false): Judgement =>
  judgeCertificate(done({ beginsAt: NOW - (90 - daysLeft) * DAY_MS, endsAt: NOW + daysLeft * DAY_MS }), { ...role, isRenewed }, NOW);
const port = { address: '0.0.0.0', port: 443, option: 'intake.port', isOurs: false };

const RULES: readonly (readonly [what: string, judgement: Judgement, state: Judgement['state'], words: RegExp])[] = [
  ['a black hole', judgeConnect(TOWARDS, LATE), 'wrong', /within 5 s.*swallowed.*firewall/s],
  ['a refusing host', judgeConnect(TOWARDS, failed('ECONNREFUSED')), 'wrong', /Nothing listens/],
  ['no route', judgeConnect(TOWARDS, failed('EHOSTUNREACH')), 'wrong', /route/],
  ['a proxy that forbids', judgeProxy(TOWARDS, { outcome: 'done', value: { status: 403, socket: undefined as never } }), 'wrong', /403.*administrator/s],
  ['a proxy that is silent', judgeProxy(TOWARDS, LATE), 'wrong', /no answer to CONNECT/],
  ['a clock that agrees', clock(900), 'good', /agree/],
  ['a clock a minute off', clock(-60_000), 'attention', /60 s ahead.*time service/s],
  ['a clock an hour off', clock(3_600_000), 'wrong', /3600 s behind.*signing in fails/s],
  ['an answer without a date', clock(undefined), 'skipped', /no date/],
  ['a full disk', judgeDisk(failed('ENOSPC'), { data: '/data', limitBytes: undefined }), 'wrong', /disk of \/data is full/],
  ['a disk all but full', disk(100 * MIB), 'wrong', /all but full/],
  ['a disk nearly full', disk(200 * MIB, 8192 * MIB), 'attention', /soon be full/],
  ['a disk with room', disk(512 * MIB), 'good', /512MiB of 1\.0GiB free/],
  ['a read-only disk', judgeDisk(failed('EROFS'), { data: '/data', limitBytes: undefined }), 'wrong', /read-only/],
  ['Redis nearly full', judgeRedisHealth(done({ ...redis, memoryRatio: 0.9, maxmemoryBytes: MIB }), 'here'), 'attention', /90 %.*maxmemory/s],
  ['a certificate of one’s own with a week left', certificate(7), 'attention', /in 7 days.*Renew it/s],
  ['one with a month left', certificate(30), 'good', /valid until 2026-12-23/],
  ['one that is renewed by itself and has not been', certificate(13, true), 'attention', /in 13 days/],
  ['one that has ended', certificate(-1), 'wrong', /ended on 2026-11-22/],
  ['one that is not there', judgeCertificate(done(undefined), role, NOW), 'wrong', /no file \/server\.pem/],
  ['one that cannot be read', judgeCertificate(failed('EACCES'), role, NOW), 'wrong', /cannot be read/],
  ['a port that is ours', judgePort(done('taken'), { ...port, isOurs: true }), 'good', /running relay’s/],
  ['a port below 1024', judgePort(done('not-allowed'), port), 'wrong', /CAP_NET_BIND_SERVICE/],
  ['a clock nobody keeps', judgeTime(done({ service: 'chrony', synchronized: false })), 'attention', /not synchronized/],
  ['no time service to ask', judgeTime(done(undefined)), 'skipped', /no time service/],
  ['an upload without the role', judgeUpload(done({ isDelivered: false, reason: '403 OperationFailed' })), 'wrong', /Monitoring Metrics Publisher/],
  ['an upload to a rule that is none', judgeUpload(done({ isDelivered: false, reason: '404 NotFound' })), 'wrong', /ruleId/],
  ['a control socket of another user', judgeRunning(failed('EACCES')), 'attention', /as root or as the relay’s own user/],
  ['a relay that is silent', judgeRunning(LATE), 'wrong', /restart/],
  ['no relay', judgeRunning(failed('ENOENT')), 'skipped', /no relay answers/],
  [
    'a workspace that rests',
    judgeUpstream({ upstream: { state: 'held', since: NOW, reason: 'ECONNREFUSED' }, roads: undefined }),
    'wrong',
    /since 2026-11-23.*ECONNREFUSED/,
  ],
];

suite('the doctor’s rules', () => {
  for (const [what, judgement, state, words] of RULES) {
    test(`${what}: ${state}`, () => {
      assert.equal(judgement.state, state, JSON.stringify(judgement));
      assert.match('remedy' in judgement ? `${judgement.what} ${judgement.remedy}` : judgement.what, words);
    });
  }

  test('a road refused since it was last taken is told, with its reason', () => {
    const refusal = { reason: 'not-private', message: 'service.example leads to 203.0.113.7', at: NOW } as const;
    const roads = { data: { kind: 'private-link', refusal, verifiedAt: NOW - 1 } } as const;
    assert.match(judgeUpstream({ upstream: { state: 'awake' }, roads }).what, /203\.0\.113\.7/);
    assert.equal(judgeUpstream({ upstream: { state: 'awake' }, roads: { data: { ...roads.data, verifiedAt: NOW + 1 } } }).state, 'good');
  });

  test('the worst finding counts, and the report names what to do under it', () => {
    const finding = (judgement: Judgement): Finding => ({ subject: 'relay', step: 'disk', tookMs: 1, ...judgement });
    const findings = [finding(good('well\u001b[31m')), finding(certificate(7)), finding(certificate(-1))];
    assert.deepEqual(
      [0, 1, 2, 3].map((count) => worstOf(findings.slice(0, count))),
      ['good', 'good', 'attention', 'wrong'],
    );
    const report = reportOf(findings);
    assert.match(report, /WRONG {5}disk: your server certificate .* \(1 ms\)\n {12}→ Renew it\./);
    assert.match(report, /1 wrong, 1 to attend to\./);
    assert.ok(!report.includes('\u001b'));
  });
});
