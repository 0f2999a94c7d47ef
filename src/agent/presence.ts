import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ReceivedReply } from '../oms-protocol/topology-reply.ts';
import { createPause } from '../pause.ts';
import { type AgentSettings, writeSettings } from './agent-folder.ts';
import { type Host, operatingSystemOf } from './host.ts';
import type { RelayLink } from './relay-link.ts';
import { adoptCertificate, certificateNeed, type Renewal, renewCertificate } from './renewal.ts';
import type { TrustedRoots } from './roots.ts';
import { checkIn } from './topology.ts';

// What agents honour (§1.7), and what this one does while the relay does not answer or does not know it.
const SHORTEST_INTERVAL_S = 60;
const LONGEST_INTERVAL_S = 7 * 86_400;
const AFTER_FAILURE_S = 60;

export interface Presence {
  start(): void;
  stop(): Promise<void>;
}

export interface PresenceOptions {
  readonly folder: string;
  readonly settings: AgentSettings;
  readonly link: RelayLink;
  readonly roots: TrustedRoots;
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Sends a topology request at start and at each interval the relay names (§2.1). With it the agent learns which roots to trust, and renews
 * its certificate when the relay asks for it or two thirds of its life are over.
 */
export function createPresence({ folder, settings: enrolled, link, roots, host, clock, log }: PresenceOptions): Presence {
  const pause = createPause(clock);
  const operatingSystem = operatingSystemOf(host);
  let settings = enrolled;
  let stopping = false;
  let trouble = '';
  let running: Promise<void> = Promise.resolve();

  const say = (what: string): void => {
    if (what !== trouble) log.warn(what);
    trouble = what;
  };
  const renew = async (how: typeof renewCertificate): Promise<void> => {
    const renewal: Renewal = await how({ folder, settings, link, operatingSystem, clock });
    if (renewal.outcome === 'renewed') log.info('the certificate has been renewed');
    // One that waits for approval hears no until then.
    if (renewal.outcome === 'kept')
      log[how === renewCertificate ? 'warn' : 'debug'](`the certificate was not renewed, the old one stays in use: ${renewal.why}`);
  };
  const obey = async (reply: ReceivedReply): Promise<void> => {
    const heard = withReply(settings, reply);
    if (heard.renewalAddress !== settings.renewalAddress || heard.topologyIntervalS !== settings.topologyIntervalS) await writeSettings(folder, heard);
    settings = heard;
    const need = certificateNeed(link.identity.certificate, clock.now());
    if (reply.renewCertificate || need === 'renew') await renew(renewCertificate);
    else if (need === 'adopt') await renew(adoptCertificate);
  };
  /** Seconds until the next request. */
  const request = async (): Promise<number> => {
    const facts = { hostName: settings.hostName, agentId: settings.agentId, certificate: link.identity.certificate, operatingSystem };
    const result = await checkIn(link, facts, clock);
    await roots.ask();
    if (result.outcome === 'refused') {
      say(`the relay refused the topology request: ${result.status} ${result.reason}: ${result.message}`);
      return AFTER_FAILURE_S;
    }
    if (trouble) log.info('the relay knows this agent again');
    trouble = '';
    await obey(result.reply);
    return settings.topologyIntervalS;
  };
  const run = async (): Promise<void> => {
    while (!stopping) {
      const seconds = await request().catch((thrown) => {
        if (!stopping) say(messageOf(thrown));
        return AFTER_FAILURE_S;
      });
      if (!stopping) await pause.wait(seconds * 1_000);
    }
  };
  return {
    start() {
      running = run();
    },
    async stop() {
      stopping = true;
      pause.wake();
      await running;
    },
  };
}

function withReply(settings: AgentSettings, { renewalAddress, topologyIntervalS }: ReceivedReply): AgentSettings {
  return { ...settings, renewalAddress, topologyIntervalS: Math.min(Math.max(topologyIntervalS, SHORTEST_INTERVAL_S), LONGEST_INTERVAL_S) };
}
