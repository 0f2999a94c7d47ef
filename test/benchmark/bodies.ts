import { deflateSync } from 'node:zlib';

const VARIANTS = 8;
const PASSES = 3;
/** Items that give about 1 KB once deflated. */
const ITEMS_A_KB = 34;

const PROGRAMS = ['sshd', 'systemd', 'kernel', 'CRON', 'nginx', 'postfix/smtpd', 'dhclient', 'sudo', 'rsyslogd', 'dockerd'];
const FACILITIES = ['auth', 'daemon', 'kern', 'cron', 'local0', 'mail', 'user'];
const SEVERITIES = ['info', 'notice', 'warning', 'err', 'debug'];
const MESSAGES: readonly ((draw: Draw) => string)[] = [
  (draw) => `Accepted publickey for deploy from 10.${draw(4)}.${draw(256)}.${draw(256)} port ${1024 + draw(60_000)} ssh2: ED25519`,
  (draw) => `pam_unix(sshd:session): session closed for user deploy${draw(40)}`,
  (draw) => `Started Session ${draw(100_000)} of user root.`,
  (draw) => `(root) CMD (/usr/local/bin/collect --every 5m --host node${draw(600)})`,
  (draw) => `10.0.${draw(256)}.${draw(256)} "GET /api/v2/orders/${draw(1_000_000)} HTTP/1.1" 200 ${draw(90_000)} ${draw(900)}ms`,
  (draw) => `connection timed out while reading the response header from upstream, client ${draw(256)}, request ${draw(1_000_000)}`,
  () => 'dispatch: the queue is empty, nothing to be done until the next wake-up',
];

/** Draws a whole number below `count`. */
type Draw = (count: number) => number;

/** A few different bodies of an OMS agent's syslog upload (wire protocol §3.1), deflated to about `bytes` each, about ten to one. Always the same ones. */
export function createBodies(bytes: number): readonly Buffer[] {
  return Array.from({ length: VARIANTS }, (_, at) => createBody(bytes, at + 1));
}

// How well text deflates is only known afterwards: each pass corrects the one before.
function createBody(bytes: number, seed: number): Buffer {
  let items = Math.max(1, Math.round((bytes / 1_000) * ITEMS_A_KB));
  let body = deflated(items, seed);
  for (let pass = 1; pass < PASSES; pass += 1) {
    items = Math.max(1, Math.round((items * bytes) / body.length));
    body = deflated(items, seed);
  }
  return body;
}

function deflated(items: number, seed: number): Buffer {
  const draw = createDraw(seed);
  const envelope = { DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: Array.from({ length: items }, (_, at) => createItem(draw, at)) };
  return deflateSync(JSON.stringify(envelope));
}

function createItem(draw: Draw, at: number): object {
  const pick = <T>(from: readonly T[]): T => from[draw(from.length)] as T;
  return {
    ident: pick(PROGRAMS),
    Timestamp: new Date(1_790_000_000_000 + at * 37).toISOString(),
    EventTime: new Date(1_790_000_000_000 + at * 37).toISOString(),
    Host: 'node01.example.org',
    HostIP: '10.0.0.17',
    ProcessId: String(300 + draw(30_000)),
    Facility: pick(FACILITIES),
    Severity: pick(SEVERITIES),
    Message: pick(MESSAGES)(draw),
  };
}

// A linear congruential generator (Numerical Recipes): chance enough for text, and the same at every run.
function createDraw(seed: number): Draw {
  let state = seed >>> 0;
  return (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
}
