/** The whole of `relay setup`: answers, facts, plan, checks, then the machine, the services, the keys and the report. Safe to run again. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from '../configuration/schema.ts';
import type { Status } from '../control/api.ts';
import type { Programs } from '../host/run-program.ts';
import type { Answers } from './answers.ts';
import { apply, write } from './apply.ts';
import { bringUp, ensureKeys, type RunningRelay } from './bring-up.ts';
import { checkDraft } from './draft.ts';
import { type Facts, type FactsParts, gatherFacts } from './facts.ts';
import { keptAnswersText } from './kept-answers.ts';
import type { Machine } from './machine.ts';
import { agentsDevice, planOf } from './plan.ts';
import { isEmpty, type Plan, ROOT } from './planned.ts';
import { badAnswers, type RawAnswers, readAnswers, typedBy } from './read-answers.ts';
import { keyNotes, type Report, reportText } from './report.ts';
import { secretsIn } from './secrets-of.ts';
import { strikeCopies } from './strike-copies.ts';

const NETPLAN_LIMIT_MS = 30_000;

export interface SetUpParts {
  readonly machine: Machine;
  readonly version: string;
  /** The relay at this control socket. */
  readonly relayAt: (socket: string) => RunningRelay;
  readonly elapsed: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** For tests: how the machine's name and interfaces are learnt. */
  readonly look?: Pick<FactsParts, 'hostName' | 'interfaces' | 'linkFolder'>;
}

/** Answers with what they come to on this machine. */
export interface Prepared {
  readonly answers: Answers;
  readonly facts: Facts;
  readonly plan: Plan;
  readonly configuration: Configuration;
}

/** Judges the answers on this machine, and changes nothing. Throws `relay.setup.bad-answers` and `relay.configuration.invalid`. */
export async function prepare(raw: RawAnswers, { machine, look = {} }: SetUpParts): Promise<Prepared> {
  const { places, files, programs } = machine;
  const answers = readAnswers(raw);
  const facts = await gatherFacts(answers, { places, files, credentials: machine.credentials, ...look });
  const plan = planOf(answers, facts, { places, files, from: raw.from, prefix: raw.prefix });
  const configuration = await checkDraft(plan.configuration, { answers, from: raw.from, typed: typedBy(raw), place: places.configuration });
  if (plan.netplan !== undefined) await checkNetplan(plan.netplan, raw, programs);
  return { answers, facts, plan, configuration };
}

// Netplan judges it in a folder of its own: a network that cannot be is never begun.
async function checkNetplan(text: string, { from, prefix }: RawAnswers, programs: Programs): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'relay-netplan-'));
  try {
    await mkdir(join(root, 'etc/netplan'), { recursive: true });
    await writeFile(join(root, 'etc/netplan/60-relay.yaml'), text, { mode: 0o600 });
    const { code, err } = await programs.run('netplan', ['generate', '--root-dir', root], { timeoutMs: NETPLAN_LIMIT_MS });
    if (code !== 0) throw badAnswers(from, [`${prefix}address: netplan does not take it: ${err.replaceAll(root, '').trim().split('\n').slice(-3).join(' ')}`]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Does what was prepared. Gives the report; `changed` is false when the machine was as its answers say already. */
export async function setUp(
  { answers, facts, plan, configuration }: Prepared,
  parts: SetUpParts,
): Promise<{ readonly text: string; readonly changed: boolean }> {
  const { machine, elapsed, pause } = parts;
  const applied = await apply(plan, machine);
  const relay = parts.relayAt(configuration.control.socket);
  const status = await bringUp({ machine, relay, restartsRelay: plan.restartsRelay, elapsed, pause });
  const keys = await ensureKeys(plan.enrolmentKeys, { machine, relay });
  const struck = await strikeCopies(machine.files.cloud, secretsIn(answers));
  const notes = [...plan.notes, ...applied, ...keyNotes(keys), ...struckNotes(struck)];
  const report: Report = {
    ...aboutRelay(status, configuration),
    version: parts.version,
    name: answers.name,
    addresses: addressesOf(answers, facts, parts),
    seal: facts.seal,
    keys,
    notes,
    credentials: machine.places.credentials,
  };
  const text = reportText(report);
  await write(machine.files.issue, `${text.replaceAll('\\', '\\\\')}\n\n`, { mode: 0o644, owner: ROOT }, machine);
  await write(machine.places.answers, keptAnswersText({ finished: true, answers }), { mode: 0o600, owner: ROOT }, machine);
  return { text, changed: !isEmpty(plan) || keys.some(({ outcome }) => outcome === 'made' || outcome === 'taken') };
}

function struckNotes(struck: readonly string[]): readonly string[] {
  if (struck.length === 0) return [];
  return ["cloud-init's copies of the answers held secrets; they were struck out there. Take the disk with the answers away from this machine."];
}

function aboutRelay(status: Status, { domain, metrics }: Configuration): Pick<Report, 'port' | 'domain' | 'rootFingerprint' | 'metrics'> {
  const host = isIP(metrics.address) === 6 ? `[${metrics.address}]` : metrics.address;
  const isLocal = /^127\.|^::1$/.test(metrics.address);
  const at = `${metrics.tls ? 'https' : 'http'}://${host}:${status.metricsPort}/metrics`;
  return { port: status.intakePort, domain, rootFingerprint: status.rootFingerprint, metrics: isLocal ? undefined : at };
}

// Asked anew: the network may have been set up a moment ago.
function addressesOf(answers: Answers, facts: Facts, { machine: { places, files }, look }: SetUpParts): readonly string[] {
  const device = agentsDevice(answers, facts, { places, files, from: '', prefix: '' });
  const found = (look?.interfaces ?? networkInterfaces)()[device ?? ''] ?? [];
  const addresses = found.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address)).map(({ address }) => address);
  const [own] = answers.address === undefined || answers.address === 'dhcp' ? [] : answers.address.split('/');
  return own === undefined ? addresses : [own];
}
