import { createRelayGroup, type RelayGroup } from '../group/relay-group.ts';
import type { Building } from './building.ts';
import type { Enrolling } from './enrolling.ts';
import type { Receiving } from './receiving.ts';
import type { Trust } from './trust.ts';

/** The relay's side towards the others of its group. */
export interface Grouping extends Pick<RelayGroup, 'steering' | 'status' | 'heardElsewhere'> {
  /** Asks the others who the primary is, and keeps up with them from then on. */
  start(): Promise<void>;
}

/** Adds what relays of a group ask each other to the agents' listener. In no group it does nothing, until an operator begins one. */
export async function openGrouping(
  building: Building,
  { trust, enrolling, receiving }: { readonly trust: Trust; readonly enrolling: Enrolling; readonly receiving: Receiving },
): Promise<Grouping> {
  const { clock, metrics, inData, component, defer } = building;
  const group = createRelayGroup({
    ...trust.relayGroup,
    authority: trust.authority,
    group: { ...trust.group, agents: trust.group.registry.all },
    routing: receiving.routing,
    workspaces: [...building.served],
    keepAside: (term) => inData('group', `displaced-before-term-${term}.sqlite`),
    onEnded: receiving.endIdle,
    attempts: enrolling.attempts,
    peerCertificate: enrolling.peerCertificate,
    onForwarded: (outcome) => metrics.count('groupForwarded', { outcome }),
    audit: trust.audit.enter,
    clock,
    log: component('group'),
  });
  await group.register(receiving.hapi);
  defer(group.watchIdentity(receiving.addIdentity));
  return {
    ...group,
    async start() {
      defer(group.stop);
      await group.start();
    },
  };
}
