import { hostname, networkInterfaces } from 'node:os';
import { loadConfiguration } from '../configuration/load.ts';
import type { Status } from '../control/api.ts';
import { attentionOf } from '../control/attention-of.ts';
import { ask } from '../control/client.ts';
import { messageOf } from '../errors.ts';
import { readFileIfAny } from '../files.ts';
import type { Places } from '../host/places.ts';
import { roughDuration } from '../rough.ts';
import type { MachineFiles } from '../setup/machine-files.ts';
import { readMachineNetwork } from '../setup/machine-network.ts';
import { attentionLines } from './attention-lines.ts';
import type { Output } from './output.ts';

const MOST_ATTENTION = 8;
/** The banner is drawn within a second, whatever the relay does. */
const LIMIT_MS = 600;

/** What the banner is made from. */
export interface BannerFacts {
  readonly hostName: string;
  /** Of the agents' side. */
  readonly addresses: readonly string[];
  /** Undefined when the relay does not answer. */
  readonly status: Status | undefined;
  /** What `relay setup problem` left, if anything. */
  readonly problem: string | undefined;
  /** False before the first setup. */
  readonly isSetUp: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What somebody sees who signs in: health first, then what needs attention, then where agents go and what they trust. */
export function bannerText(facts: BannerFacts): string {
  const { status, problem, isSetUp } = facts;
  if (status !== undefined) return runningText(status, facts);
  if (problem !== undefined) return problem.trim();
  if (!isSetUp) return 'This relay is not set up yet: sudo relay setup';
  return 'THE RELAY DOES NOT ANSWER. See: systemctl status relay · sudo relay doctor';
}

function runningText(status: Status, { hostName, addresses, now }: BannerFacts): string {
  const ready = status.cache.ready.ok ? 'ready' : 'NOT READY';
  return [
    `Relay ${status.version} on ${hostName}: ${ready}, running for ${roughDuration(now - status.startedAt)}.`,
    ...attentionLines(attentionOf(status, now), MOST_ATTENTION),
    `agents        ${addresses.join(' or ') || hostName}, port ${status.intakePort}; ${status.agents.approved} approved, ${status.agents.pending} pending`,
    `root SHA-256  ${status.rootFingerprint}`,
    'More: sudo relay status · sudo relay top · sudo relay doctor',
  ].join('\n');
}

export interface BannerParts {
  readonly places: Places;
  readonly files: MachineFiles;
  readonly output: Output;
}

/** What somebody sees who signs in. It never fails: they must get in, whatever is wrong here. */
export async function runBanner(parts: BannerParts): Promise<void> {
  const text = await gather(parts)
    .then(bannerText)
    .catch((error: unknown) => `The banner could not be made: ${messageOf(error)}. See: sudo relay status`);
  parts.output.line(text);
}

async function gather({ places, files }: BannerParts): Promise<BannerFacts> {
  const configuration = await loadConfiguration({ file: places.configuration, env: {} }).catch(() => undefined);
  const signal = AbortSignal.timeout(LIMIT_MS);
  const status = configuration && (await ask<Status>(configuration.control.socket, 'GET', '/status', undefined, { signal }).catch(() => undefined));
  const problem = await readFileIfAny(places.problem).catch(() => undefined);
  const network = await readMachineNetwork(files.machineNetwork).catch(() => undefined);
  const sides = Object.entries(networkInterfaces()).filter(([device]) => device !== network?.management.interface);
  const addresses = sides.flatMap(([, found = []]) =>
    found.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address)).map(({ address }) => address),
  );
  return { hostName: hostname(), addresses, status, problem: problem?.toString(), isSetUp: configuration !== undefined, now: Date.now() };
}
