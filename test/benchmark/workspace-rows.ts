/** Data for a workspace's tables: bodies as the agents of the demo send them, from a seed. Always the same ones for the same plan. */
import type { HeartbeatRecord } from '../../src/agent/collectors/heartbeat.ts';
import type { PerformanceRecord } from '../../src/agent/collectors/performance.ts';
import type { SyslogRecord } from '../../src/oms-protocol/syslog-record.ts';
import { seeded } from '../support/seeded.ts';

export interface RowsPlan {
  readonly seed: number;
  readonly hosts: number;
  /** Of tables, in all: a counter is a row. */
  readonly rows: number;
  /** Of one body; the last has what is left. */
  readonly rowsPerBody: number;
  /** Milliseconds since 1970, `from` included, `to` not: the rows' times go up evenly from one to the other. */
  readonly from: number;
  readonly to: number;
}

/** What one host sends in one POST. */
export interface RowsBody {
  readonly dataType: 'HEALTH_ASSESSMENT_BLOB' | 'LINUX_PERF_BLOB' | 'LINUX_SYSLOGS_BLOB';
  readonly host: string;
  readonly rows: number;
  /** The envelope (wire protocol §3.1) as JSON, not compressed. */
  readonly json: Buffer;
}

/** Draws a whole number below `count`. */
type Draw = (count: number) => number;
/** The records that make so many rows of a host; `timeOf` is the time of a row, in ISO 8601, by its place among them. */
type MakeRecords = (host: Host, rows: number, draw: Draw, timeOf: (row: number) => string) => readonly object[];

interface Host {
  readonly name: string;
  readonly ip: string;
}

const MAKERS: Readonly<Record<RowsBody['dataType'], MakeRecords>> = {
  HEALTH_ASSESSMENT_BLOB: heartbeats,
  LINUX_PERF_BLOB: performances,
  LINUX_SYSLOGS_BLOB: syslogs,
};
/** Of 100 bodies so many are heartbeats, and counters; the others are log lines. */
const HEARTBEATS = 2;
const PERFORMANCES = 38;

/** Makes the bodies one by one, so that ten million rows need no more memory than one of them. */
export function* createWorkspaceRows(plan: RowsPlan): Generator<RowsBody, void, undefined> {
  const random = seeded(plan.seed);
  const draw: Draw = (count) => Math.floor(random() * count);
  const hosts = Array.from({ length: plan.hosts }, (_, at) => hostAt(at));
  const step = (plan.to - plan.from) / plan.rows;
  for (let done = 0; done < plan.rows; done += plan.rowsPerBody) {
    const rows = Math.min(plan.rowsPerBody, plan.rows - done);
    const timeOf = (row: number): string => new Date(plan.from + (done + row) * step).toISOString();
    const dataType = drawType(draw);
    const host = hosts[draw(hosts.length)] as Host;
    const envelope = { DataType: dataType, IPName: 'LogManagement', DataItems: MAKERS[dataType](host, rows, draw, timeOf) };
    yield { dataType, host: host.name, rows, json: Buffer.from(JSON.stringify(envelope)) };
  }
}

function hostAt(at: number): Host {
  return { name: `node${String(at + 1).padStart(4, '0')}.example.org`, ip: `10.1.${(at >> 8) & 0xff}.${at & 0xff}` };
}

function drawType(draw: Draw): RowsBody['dataType'] {
  const at = draw(100);
  if (at < HEARTBEATS) return 'HEALTH_ASSESSMENT_BLOB';
  return at < HEARTBEATS + PERFORMANCES ? 'LINUX_PERF_BLOB' : 'LINUX_SYSLOGS_BLOB';
}

function heartbeats({ name, ip }: Host, rows: number, _draw: Draw, timeOf: (row: number) => string): HeartbeatRecord[] {
  return Array.from({ length: rows }, (_, row) => ({
    Timestamp: timeOf(row),
    Computer: name,
    OSType: 'Linux',
    OSName: 'Debian GNU/Linux',
    OSMajorVersion: '12',
    OSMinorVersion: '9',
    Category: 'Agent',
    SCAgentChannel: 'Direct',
    ComputerPrivateIps: JSON.stringify([ip]),
    Version: '1.0.0',
  }));
}

const PROGRAMS = ['sshd', 'systemd', 'kernel', 'CRON', 'nginx', 'postfix/smtpd', 'dhclient', 'sudo', 'rsyslogd', 'dockerd', 'haproxy', 'postgres'];
const FACILITIES = ['auth', 'daemon', 'kern', 'cron', 'local0', 'mail', 'user'];
// As often as they stand here.
const SEVERITIES = ['info', 'info', 'info', 'info', 'notice', 'notice', 'notice', 'warn', 'debug', 'err'];

const MESSAGES: readonly ((draw: Draw) => string)[] = [
  (draw) => `Accepted publickey for deploy from ${address(draw)} port ${1_024 + draw(60_000)} ssh2: ED25519 SHA256:${hex(draw)}${hex(draw)}`,
  (draw) => `Failed password for invalid user admin${draw(40)} from ${address(draw)} port ${1_024 + draw(60_000)} ssh2`,
  (draw) => `pam_unix(sshd:session): session closed for user deploy${draw(40)} after ${draw(90_000)} seconds`,
  (draw) => `Started Session ${draw(100_000)} of user root on seat0; leader ${draw(32_768)}.`,
  (draw) => `(root) CMD (/usr/local/bin/collect --every 5m --host node${draw(600)} --run ${hex(draw)})`,
  (draw) => `${address(draw)} "GET /api/v2/orders/${draw(1_000_000)} HTTP/1.1" 200 ${draw(90_000)} ${draw(900)}ms`,
  (draw) => `upstream timed out (110: Connection timed out) while reading the response header, client: ${address(draw)}, request: ${draw(1_000_000)}`,
  (draw) =>
    `checkpoint complete: wrote ${draw(10_000)} buffers (${draw(100)}.${draw(10)}%); 0 files added, ${draw(9)} removed; write=${draw(300)}.${draw(999)} s`,
];

function syslogs({ name, ip }: Host, rows: number, draw: Draw, timeOf: (row: number) => string): SyslogRecord[] {
  return Array.from({ length: rows }, (_, row) => {
    const time = timeOf(row);
    return {
      ident: pick(PROGRAMS, draw),
      Timestamp: time,
      EventTime: time,
      Host: name,
      HostIP: ip,
      ProcessId: String(300 + draw(30_000)),
      Facility: pick(FACILITIES, draw),
      Severity: pick(SEVERITIES, draw),
      Message: pick(MESSAGES, draw)(draw),
    };
  });
}

interface Counted {
  readonly object: string;
  readonly instance: string;
  /** Each with the number that its values stay below. */
  readonly counters: readonly (readonly [name: string, below: number])[];
}

const SPACE: Counted['counters'] = [
  ['% Used Space', 100],
  ['% Free Space', 100],
  ['Free Megabytes', 400_000],
];

// What the agent's collector reads at one look.
const LOOK: readonly Counted[] = [
  {
    object: 'Processor',
    instance: '_Total',
    counters: ['% Processor Time', '% User Time', '% Privileged Time', '% Idle Time'].map((name) => [name, 100]),
  },
  {
    object: 'Memory',
    instance: 'Memory',
    counters: [
      ['Used Memory MBytes', 64_000],
      ['Available MBytes Memory', 64_000],
      ['% Used Memory', 100],
      ['% Available Memory', 100],
      ['Used MBytes Swap Space', 8_000],
      ['Available MBytes Swap', 8_000],
      ['% Used Swap Space', 100],
    ],
  },
  { object: 'Logical Disk', instance: '/', counters: SPACE },
  { object: 'Logical Disk', instance: '/var', counters: SPACE },
  { object: 'Logical Disk', instance: '_Total', counters: ['Disk Reads/sec', 'Disk Writes/sec', 'Disk Transfers/sec'].map((name) => [name, 5_000]) },
  {
    object: 'Network',
    instance: 'eth0',
    counters: ['Total Bytes Received', 'Total Bytes Transmitted', 'Total Bytes', 'Bytes Received/sec', 'Bytes Transmitted/sec'].map((name) => [name, 1e9]),
  },
];

// The last record has as many counters as there is room for.
function performances({ name }: Host, rows: number, draw: Draw, timeOf: (row: number) => string): PerformanceRecord[] {
  const records: PerformanceRecord[] = [];
  let time = timeOf(0);
  for (let row = 0; row < rows; ) {
    const at = records.length % LOOK.length;
    // The counters of one look have one time, as at the agent.
    if (at === 0) time = timeOf(row);
    const { object, instance, counters } = LOOK[at] as Counted;
    const values = counters.slice(0, rows - row).map(([counter, below]) => ({ CounterName: counter, Value: draw(below * 1_000) / 1_000 }));
    records.push({ Timestamp: time, Host: name, ObjectName: object, InstanceName: instance, Collections: values });
    row += values.length;
  }
  return records;
}

function pick<T>(from: readonly T[], draw: Draw): T {
  return from[draw(from.length)] as T;
}

function address(draw: Draw): string {
  return `10.${draw(4)}.${draw(256)}.${draw(256)}`;
}

function hex(draw: Draw): string {
  return draw(2 ** 32)
    .toString(16)
    .padStart(8, '0');
}
