import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LineContext, readLogLine } from '../../../src/agent/collectors/log-line.ts';

const NOW = new Date(2026, 0, 2, 3, 4, 5);
const CONTEXT: LineContext = { path: '/var/log/syslog', hostName: 'web01', address: '10.0.0.7', now: NOW.getTime() };

function at(year: number, month: number, day: number, hours: number, minutes: number, seconds: number): string {
  return new Date(year, month - 1, day, hours, minutes, seconds).toISOString();
}

describe('a log line', () => {
  it('is read by its syslog parts', () => {
    assert.deepEqual(readLogLine('Jan  2 03:04:04 web01 sshd[4242]: Accepted publickey for alice: ok', { ...CONTEXT, path: '/var/log/auth.log' }), {
      ident: 'sshd',
      Timestamp: NOW.toISOString(),
      EventTime: at(2026, 1, 2, 3, 4, 4),
      Host: 'web01',
      HostIP: '10.0.0.7',
      Message: 'Accepted publickey for alice: ok',
      ProcessId: '4242',
      Facility: 'authpriv',
      Severity: 'info',
    });
  });

  it('takes facility and severity from a priority, and knows that another host has another address', () => {
    const record = readLogLine('<27>Jan  1 00:00:00 db01.example.org postgres: héllo', CONTEXT);
    assert.deepEqual([record.Facility, record.Severity, record.Host, record.HostIP, record.Message], ['daemon', 'err', 'db01', 'Unknown IP', 'héllo']);
    assert.equal('ProcessId' in record, false);
  });

  it('reads ISO 8601 times as newer syslog daemons write them', () => {
    const record = readLogLine('2026-01-02T03:04:05.678901+02:00 web01 systemd[1]: Started x.', CONTEXT);
    assert.deepEqual([record.EventTime, record.ident, record.Message], ['2026-01-02T01:04:05.678Z', 'systemd', 'Started x.']);
  });

  it('takes a time without a year for the past', () => {
    assert.equal(readLogLine('Dec 31 23:59:59 web01 x: y', CONTEXT).EventTime, at(2025, 12, 31, 23, 59, 59));
    assert.equal(readLogLine('Jan  3 03:00:00 web01 x: y', CONTEXT).EventTime, at(2026, 1, 3, 3, 0, 0));
  });

  const whole: readonly [string, string, string, string][] = [
    ['/var/log/dpkg.log', '2025-06-24 14:36:25 startup archives unpack', 'dpkg', at(2025, 6, 24, 14, 36, 25)],
    ['/var/log/alternatives.log', 'update-alternatives 2026-01-01 04:45:29: run with --install', 'alternatives', at(2026, 1, 1, 4, 45, 29)],
    ['/var/log/apt/history.log', 'Start-Date: 2026-01-01  01:39:18', 'apt-history', at(2026, 1, 1, 1, 39, 18)],
    ['/var/log/messages', 'no time at all', 'messages', NOW.toISOString()],
    ['/var/log/messages', '2026-99-99 99:99:99 no such time', 'messages', NOW.toISOString()],
  ];
  for (const [path, line, ident, eventTime] of whole) {
    it(`is kept whole when it has no such parts: ${line.slice(0, 30)}`, () => {
      const record = readLogLine(line, { ...CONTEXT, path });
      assert.deepEqual([record.ident, record.EventTime, record.Message, record.Host], [ident, eventTime, line, 'web01']);
    });
  }

  it('is cut at 16 KiB without half a character', () => {
    const { Message } = readLogLine(`Jan  2 03:04:04 web01 x: ${'ü'.repeat(20_000)}`, CONTEXT);
    assert.equal(Buffer.byteLength(Message), 16 * 1024);
    assert.doesNotMatch(Message, /\uFFFD/);
  });
});
