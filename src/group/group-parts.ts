import type { EnterAudit } from '../audit/entry.ts';
import type { Authority } from '../authority/authority.ts';
import type { Fingerprint } from '../authority/x509.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Agent } from '../management-group/agent.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import type { Routing } from '../routing/routing.ts';
import type { GroupState } from './group-file.ts';
import type { MemberIdentity } from './member-identity.ts';

/** What a group of relays is made of. */
export interface GroupParts {
  readonly state: GroupState;
  readonly identity: MemberIdentity;
  readonly authority: Pick<Authority, 'issueMember' | 'copy' | 'adopt' | 'roots' | 'rootFingerprint' | 'chain' | 'onChange'>;
  readonly group: Pick<ManagementGroup, 'takeCopy' | 'adoptCopy' | 'saveTo' | 'writes'> & { agents(): readonly Agent[] };
  readonly routing: Pick<Routing, 'said' | 'adopt'>;
  /** Ids of the workspaces that this relay serves. */
  readonly workspaces: readonly string[];
  /** Where a primary that another has replaced keeps what it knew. */
  readonly keepAside: (term: number) => string;
  /** Ends connections that were made with these certificates. */
  readonly onEnded: (fingerprints: readonly Fingerprint[]) => void;
  readonly audit: EnterAudit;
  readonly clock: Clock;
  readonly log: Logger;
}
