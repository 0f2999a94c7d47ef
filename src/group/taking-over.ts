/** What a member does with a snapshot: the authority's roots first, then who may send, then what operators said, then who belongs to the group. */
import type { Authority } from '../authority/authority.ts';
import type { Fingerprint } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import type { Routing } from '../routing/routing.ts';
import type { GroupState } from './group-file.ts';
import { following, judge, settled } from './membership.ts';
import type { Snapshot } from './snapshot.ts';

export interface TakingOverParts {
  readonly state: GroupState;
  readonly authority: Pick<Authority, 'adopt'>;
  readonly group: Pick<ManagementGroup, 'adoptCopy' | 'saveTo'>;
  readonly routing: Pick<Routing, 'adopt'>;
  /** Where a primary that another has replaced keeps what it knew; once, under the number of the term. */
  readonly keepAside: (term: number) => string;
  /** Ends connections that were made with these certificates. */
  readonly onEnded: (fingerprints: readonly Fingerprint[]) => void;
  readonly log: Logger;
}

/** Takes over a snapshot. Throws `relay.group.not-primary` for one of a relay that is the primary no more, and changes nothing then. */
export async function takeOver(snapshot: Snapshot, { state, authority, group, routing, keepAside, onEnded, log }: TakingOverParts): Promise<void> {
  const file = state.current();
  if (!file || judge(file, snapshot) === 'older' || file.primary === file.id)
    throw new RelayError('relay.group.not-primary', 'The copy that came is of a relay that is not the primary any more.');
  await authority.adopt(snapshot.authority);
  if (file.isDisplaced) {
    const path = keepAside(snapshot.term);
    group.saveTo(path);
    log.warn({ path }, 'another relay became the primary while this one was away: what only this one knew is in this file, and holds no more');
  }
  const { agentsPut, agentsGone, ended } = group.adoptCopy(snapshot.group);
  onEnded(ended);
  await routing.adopt(snapshot.rules);
  await state.change((before) => before && following(before.isDisplaced ? settled(before) : before, snapshot));
  log[file.isDisplaced ? 'warn' : 'debug']({ agentsPut, agentsGone }, 'a copy of the group was taken over');
}
