/** What the facts of the machine mean, and what to do. Pure. */
import { formatSize } from '../units.ts';
import { attention, good, type Judgement, skipped, wrong } from './finding.ts';
import type { CertificateEnd, DiskFacts, PortFacts, RedisHealth, TimeFacts } from './machine-probes.ts';
import { dayOf } from './road-rules.ts';
import { type Outcome, why } from './within.ts';

const LEAST_FREE_BYTES = 128 * 2 ** 20;
const FULL_SHARE = 0.05;
const MEMORY_ATTENTION = 0.8;
/** A certificate that is renewed by itself has a third of its life left when that begins; at a sixth something is wrong. */
const NEAR_END_SHARE = 1 / 6;
const NEAR_END_MS = 14 * 86_400_000;

export function judgeDisk(facts: Outcome<DiskFacts>, { data, limitBytes }: { data: string; limitBytes: number | undefined }): Judgement {
  if (facts.outcome !== 'done') {
    const isFull = facts.outcome === 'failed' && ['ENOSPC', 'EDQUOT'].includes(facts.code);
    return wrong(
      `the data folder ${data} cannot be written to: ${why(facts)}`,
      isFull
        ? `The disk of ${data} is full. Free some of it or enlarge it; the relay refuses new data until then, and goes on sending what it has.`
        : `Make it a folder that the relay’s user may write to: mkdir -p ${data} && chown relay ${data} && chmod 700 ${data}. A read-only file system must be mounted anew.`,
    );
  }
  const { folder, exists, freeBytes, totalBytes } = facts.value;
  const shown = `${exists ? folder : `${data} (it is made at the start, in ${folder})`} can be written to; ${roughly(freeBytes)} of ${roughly(totalBytes)} free`;
  if (freeBytes < LEAST_FREE_BYTES)
    return wrong(
      `${shown}: the disk is all but full`,
      'Free some of the disk or enlarge it. Under this the relay takes no new data; it goes on sending what it has.',
    );
  if (freeBytes < totalBytes * FULL_SHARE) return attention(shown, 'The disk will soon be full: free some of it, enlarge it, or set cache.limit lower.');
  if (limitBytes !== undefined && limitBytes > totalBytes)
    return attention(
      `${shown}; cache.limit is ${formatSize(limitBytes)}, more than the whole disk`,
      'Set cache.limit below the size of the disk, or enlarge the disk.',
    );
  return good(shown);
}

export function judgeRedisHealth(facts: Outcome<RedisHealth>, where: string): Judgement {
  if (facts.outcome !== 'done')
    return wrong(`Redis at ${where} does not answer: ${why(facts)}`, 'Start it (systemctl start redis-server), or correct cache.redis.');
  const { version, refusals, warnings, memoryRatio, maxmemoryBytes } = facts.value;
  const shown = `Redis ${version} at ${where}`;
  if (refusals.length > 0) return wrong(`${shown} cannot be used`, `${refusals.join(' ')}${warnings.length > 0 ? ` Also: ${warnings.join(' ')}` : ''}`);
  if (warnings.length > 0) return attention(`${shown} can be used, but not as it should be`, warnings.join(' '));
  if (memoryRatio > MEMORY_ATTENTION)
    return attention(
      `${shown} has used ${Math.round(memoryRatio * 100)} % of its memory`,
      `Raise maxmemory (now ${formatSize(maxmemoryBytes)}), or find out why so much waits: relay status`,
    );
  return good(`${shown}: noeviction, append-only${maxmemoryBytes > 0 ? `, ${Math.round(memoryRatio * 100)} % of its memory used` : ''}`);
}

export interface PortWanted {
  readonly address: string;
  readonly port: number;
  /** Options that set it: `intake.port`. */
  readonly option: string;
  /** The running relay listens there. */
  readonly isOurs: boolean;
}

export function judgePort(facts: Outcome<PortFacts>, { address, port, option, isOurs }: PortWanted): Judgement {
  const place = `${address}:${port}`;
  if (port === 0) return good('a free port is taken at the start');
  if (facts.outcome !== 'done') return wrong(`it cannot be seen whether ${place} is free: ${why(facts)}`, `Check ${option}.`);
  if (facts.value === 'free') return good(`${place} is free`);
  if (facts.value === 'taken' && isOurs) return good(`${place} is the running relay’s`);
  if (facts.value === 'taken')
    return wrong(`${place} is taken by another program`, `See which (ss -ltnp 'sport = :${port}'), and end it; or set ${option} to another port.`);
  if (facts.value === 'not-allowed')
    return wrong(
      `this user may not listen on ${place}`,
      `Set ${option} to 1024 or more, or let the relay listen there: AmbientCapabilities=CAP_NET_BIND_SERVICE`,
    );
  return wrong(`${address} is not an address of this machine`, `Correct ${option.replace(/port$/, 'address')}; 0.0.0.0 is all of them.`);
}

export function judgeTime(facts: Outcome<TimeFacts | undefined>): Judgement {
  if (facts.outcome !== 'done' || facts.value === undefined)
    return skipped('no time service could be asked (chronyc, timedatectl); see the clock of each workspace');
  const { service, synchronized } = facts.value;
  if (synchronized) return good(`the clock is kept by ${service}`);
  return attention(
    `the clock is not synchronized (${service})`,
    'Give the time service a server that this site reaches, and see chronyc sources or timedatectl timesync-status.',
  );
}

/** Whose certificate it is, and what to do about its end. */
export interface CertificateRole {
  readonly what: string;
  readonly file: string;
  /** The relay renews it by itself. */
  readonly isRenewed: boolean;
  readonly remedy: string;
  /** What it means that there is none. */
  readonly absent: string;
  /** Without it nothing goes. */
  readonly isNeeded?: boolean;
}

export function judgeCertificate(facts: Outcome<CertificateEnd | undefined>, role: CertificateRole, now: number): Judgement {
  const { what, file, isRenewed, remedy, absent, isNeeded = false } = role;
  if (facts.outcome !== 'done')
    return wrong(`${what} (${file}) cannot be read: ${why(facts)}`, `Check that it is a certificate (PEM) that the relay’s user may read. ${remedy}`);
  if (facts.value === undefined) return isNeeded ? wrong(`${what}: there is no file ${file}`, remedy) : skipped(absent);
  const { beginsAt, endsAt } = facts.value;
  if (endsAt <= now) return wrong(`${what} (${file}) ended on ${dayOf(endsAt)}`, remedy);
  if (beginsAt > now) return wrong(`${what} (${file}) begins only on ${dayOf(beginsAt)}`, `Set this machine’s clock: it says ${new Date(now).toISOString()}.`);
  const nearMs = isRenewed ? (endsAt - beginsAt) * NEAR_END_SHARE : NEAR_END_MS;
  if (endsAt - now < nearMs) return attention(`${what} (${file}) ends on ${dayOf(endsAt)}, in ${inDays(endsAt - now)}`, remedy);
  return good(`${what} is valid until ${dayOf(endsAt)}`);
}

function inDays(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  return days < 1 ? 'less than a day' : days === 1 ? 'one day' : `${days} days`;
}

function roughly(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)}GiB` : `${Math.round(bytes / 2 ** 20)}MiB`;
}
