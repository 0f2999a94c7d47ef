import { X509Certificate } from 'node:crypto';
import type { Random } from '../batch/batch-id.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { createDirectLink } from './direct-link.ts';
import type { Instructions } from './instructions.ts';
import type { AgentQueue } from './queue.ts';
import type { RelayLink } from './relay-link.ts';
import { createSender } from './sender.ts';
import { createTokens } from './token-posts.ts';

export interface Senders {
  start(): void;
  /** Sends nothing more; requests under way may end for `graceMs`. The way to the relay stays open. */
  stop(graceMs: number): Promise<void>;
}

export interface SendersParts {
  readonly queue: AgentQueue;
  readonly instructions: Instructions;
  readonly link: RelayLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** One sender for each route, on one queue: each takes what goes its way at that moment, and one that is shut does not hold up the other. */
export function createSenders({ queue, instructions, link, clock, random, log }: SendersParts): Senders {
  const { routeOf, directWay, current } = instructions;
  const direct = createDirectLink({
    way: directWay,
    roots: () => current()?.roots ?? [],
    identity: () => link.identity,
    tokenFor: createTokens({ relay: link, clock }),
  });
  const isFromAuthority = createIsFromAuthority();
  // Without a way, and until the management group has given it a certificate, what is marked direct waits: sending it by the relay is for the relay to say.
  const mayGo = (): boolean => {
    const way = directWay();
    return way?.credential === 'token' ? way.rule !== undefined : way !== undefined && isFromAuthority(link.identity.certificate);
  };
  const lanes = {
    relay: queue.lane('relay', ({ dataType }) => routeOf(dataType) === 'relay'),
    direct: queue.lane('direct', ({ dataType }) => routeOf(dataType) === 'direct' && mayGo()),
  };
  const senders = [
    createSender({ queue: lanes.relay, connection: link, to: 'relay', clock, random, log: log.child({ component: 'sender' }) }),
    createSender({ queue: lanes.direct, connection: direct, to: 'workspace', clock, random, log: log.child({ component: 'direct' }) }),
  ];
  return {
    start() {
      for (const sender of senders) sender.start();
    },
    async stop(graceMs) {
      await Promise.all([...senders.map((sender) => sender.stop()), direct.close(graceMs)]);
    },
  };
}

// A self-signed certificate is known to the relay alone. Read once: it is asked for at every turn.
function createIsFromAuthority(): (pem: string) => boolean {
  let last = { pem: '', is: false };
  return (pem) => {
    if (pem !== last.pem) {
      const certificate = new X509Certificate(pem);
      last = { pem, is: certificate.issuer !== certificate.subject };
    }
    return last.is;
  };
}
