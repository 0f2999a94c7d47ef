import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readMessage } from '../../../src/intake/syslog/read-message.ts';
import type { SyslogMessage } from '../../../src/intake/syslog/syslog-message.ts';
import { recordOf, textOf } from '../../../src/intake/syslog/syslog-record.ts';

const RECEIVED = Date.UTC(2026, 10, 29, 4, 30);

/** Each row: what it is, the message, and what is read of it; what is not named is undefined. */
const MESSAGES: readonly (readonly [what: string, text: string, read: Partial<SyslogMessage>])[] = [
  [
    'RFC 5424 §6.5, example 1',
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \uFEFF'su root' failed for lonvick on /dev/pts/8",
    {
      format: 'rfc5424',
      facility: 4,
      severity: 2,
      time: '2003-10-11T22:14:15.003Z',
      host: 'mymachine.example.com',
      ident: 'su',
      messageId: 'ID47',
      message: "'su root' failed for lonvick on /dev/pts/8",
    },
  ],
  [
    'RFC 5424 §6.5, example 2, with microseconds and a zone',
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
    {
      format: 'rfc5424',
      facility: 20,
      severity: 5,
      time: '2003-08-24T12:14:15.000003Z',
      host: '192.0.2.1',
      ident: 'myproc',
      processId: '8710',
      message: "%% It's time to make the do-nuts.",
    },
  ],
  [
    'RFC 5424 with structured data (after §6.5, example 3)',
    '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application"] An application event',
    {
      format: 'rfc5424',
      facility: 20,
      severity: 5,
      time: '2003-10-11T22:14:15.003Z',
      host: 'mymachine.example.com',
      ident: 'evntslog',
      messageId: 'ID47',
      structuredData: '[exampleSDID@32473 iut="3" eventSource="Application"]',
      message: 'An application event',
    },
  ],
  [
    'RFC 5424 with structured data alone (after §6.5, example 4)',
    '<165>1 2003-10-11T22:14:15.003Z host app - ID47 [a@1 b="c"][d@1 e="f \\"g\\" \\] h"]',
    {
      format: 'rfc5424',
      facility: 20,
      severity: 5,
      time: '2003-10-11T22:14:15.003Z',
      host: 'host',
      ident: 'app',
      messageId: 'ID47',
      structuredData: '[a@1 b="c"][d@1 e="f \\"g\\" \\] h"]',
      message: '',
    },
  ],
  ['RFC 5424 with nothing but the version', '<13>1 - - - - - -', { format: 'rfc5424', facility: 1, severity: 5, message: '' }],
  [
    'RFC 5424 whose structured data is broken',
    '<13>1 - h a - - [a b=c] x',
    { format: 'rfc5424', facility: 1, severity: 5, host: 'h', ident: 'a', message: '[a b=c] x' },
  ],
  [
    'RFC 3164 §5.4, example 1',
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    {
      format: 'rfc3164',
      facility: 4,
      severity: 2,
      time: '2026-10-11T22:14:15.000Z',
      host: 'mymachine',
      ident: 'su',
      message: "'su root' failed for lonvick on /dev/pts/8",
    },
  ],
  ['RFC 3164 without a header (after §5.4, example 2)', '<13>Use the BFG!', { format: 'rfc3164', facility: 1, severity: 5, message: 'Use the BFG!' }],
  [
    'RFC 3164 with a process id and an ISO time',
    '<38>2026-11-28T10:11:12.5+01:00 web01 sshd[4711]: Accepted publickey',
    {
      format: 'rfc3164',
      facility: 4,
      severity: 6,
      time: '2026-11-28T09:11:12.500Z',
      host: 'web01',
      ident: 'sshd',
      processId: '4711',
      message: 'Accepted publickey',
    },
  ],
  [
    'RFC 3164 at New Year: the nearest year',
    '<13>Jan  1 00:00:01 h a: x',
    { format: 'rfc3164', facility: 1, severity: 5, time: '2027-01-01T00:00:01.000Z', host: 'h', ident: 'a', message: 'x' },
  ],
  [
    'RFC 3164 on a leap day that no year nearby has: no time, and nothing taken out',
    '<13>Feb 29 12:00:00 h a: x',
    { format: 'rfc3164', facility: 1, severity: 5, message: 'Feb 29 12:00:00 h a: x' },
  ],
  [
    "Cisco's header",
    '<189>237: sw1: *Nov 28 10:11:12.345 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up',
    {
      format: 'rfc3164',
      facility: 23,
      severity: 5,
      time: '2026-11-28T10:11:12.345Z',
      host: 'sw1',
      ident: '%LINK-3-UPDOWN',
      structuredData: '[meta sequenceId="237"]',
      message: '%LINK-3-UPDOWN: Interface Gi0/1, changed state to up',
    },
  ],
  [
    'RFC 5424 in a leap second',
    '<13>1 2016-12-31T23:59:60.5Z h a - - - x',
    { format: 'rfc5424', facility: 1, severity: 5, time: '2017-01-01T00:00:00.500Z', host: 'h', ident: 'a', message: 'x' },
  ],
  ['a byte order mark before the priority', '\uFEFF<13>1 - h a - - - x', { format: 'rfc5424', facility: 1, severity: 5, host: 'h', ident: 'a', message: 'x' }],
  [
    'structured data that is not closed',
    '<13>1 - h a - - [a@1 b="c x',
    { format: 'rfc5424', facility: 1, severity: 5, host: 'h', ident: 'a', message: '[a@1 b="c x' },
  ],
  ['RFC 3164 without a time', '<13>su[12]: x', { format: 'rfc3164', facility: 1, severity: 5, ident: 'su', processId: '12', message: 'x' }],
  [
    'RFC 3164 of the last day of the year, read on the first',
    '<13>Dec 31 23:59:59 h a: x',
    { format: 'rfc3164', facility: 1, severity: 5, time: '2026-12-31T23:59:59.000Z', host: 'h', ident: 'a', message: 'x' },
  ],
  [
    "Cisco's mnemonic alone, with the uptime before it",
    '<189>00:00:46: %SYS-5-CONFIG_I: Configured from console',
    { format: 'rfc3164', facility: 23, severity: 5, ident: '%SYS-5-CONFIG_I', message: '00:00:46: %SYS-5-CONFIG_I: Configured from console' },
  ],
  ['a priority of four digits', '<1000>x', { format: 'none', facility: 1, severity: 5, message: '<1000>x' }],
  ['no priority', 'hello', { format: 'none', facility: 1, severity: 5, message: 'hello' }],
  ['a priority beyond 191', '<192>1 - h a - - - x', { format: 'none', facility: 1, severity: 5, message: '<192>1 - h a - - - x' }],
  ['a priority with a leading zero', '<01>x', { format: 'none', facility: 1, severity: 5, message: '<01>x' }],
  ['nothing', '', { format: 'none', facility: 1, severity: 5, message: '' }],
];

describe('a syslog message', () => {
  for (const [what, text, read] of MESSAGES) {
    it(`is read: ${what}`, () => {
      const message = readMessage(text, RECEIVED);
      const named = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
      assert.deepEqual(named, read);
    });
  }

  it('becomes a record with the fields of the Linux agent, and what RFC 5424 has beyond', () => {
    const message = readMessage('<38>1 2026-11-28T10:11:12.500Z web01 sshd 4711 LOGIN [a@1 b="c"] Accepted', RECEIVED);
    assert.deepEqual({ ...recordOf(message, { hostName: 'fw01', address: '10.0.0.7', timestamp: '2026-11-29T04:30:00.000Z' }) }, RECORD);
  });

  it('is read without the line end or NUL that some senders count in', () => {
    for (const end of ['\n', '\r\n', '\0', '']) assert.equal(textOf(Buffer.from(`text${end}`), false), 'text');
  });

  it('keeps text that is no UTF-8 readable', () => assert.equal(textOf(Buffer.from([0x61, 0xff, 0x62]), false), 'a\ufffdb'));
});

const RECORD = {
  ident: 'sshd',
  Timestamp: '2026-11-29T04:30:00.000Z',
  EventTime: '2026-11-28T10:11:12.500Z',
  Host: 'web01',
  HostIP: '10.0.0.7',
  Message: 'Accepted',
  ProcessId: '4711',
  Facility: 'auth',
  Severity: 'info',
  MsgId: 'LOGIN',
  StructuredData: '[a@1 b="c"]',
};
