import { type Audit, startAudit } from '../audit/audit.ts';
import { type Authority, openAuthority } from '../authority/authority.ts';
import { createServerIdentity, type ServerIdentity } from '../authority/server-identity.ts';
import { asWritten } from '../configuration/reference.ts';
import { type GroupState, openGroupState } from '../group/group-file.ts';
import { type MemberIdentity, openMemberIdentity } from '../group/member-identity.ts';
import { hostsOf } from '../group/membership.ts';
import type { IdentifySettings } from '../management-group/identify.ts';
import { type ManagementGroup, openManagementGroup } from '../management-group/management-group.ts';
import type { Registry } from '../management-group/registry.ts';
import { loadKeyRing, type StoredKeyRing } from '../workspace/key-ring-file.ts';
import type { Building } from './building.ts';

/** By which keys, names and certificates the relay and its agents are known, and the log of who did what. */
export interface Trust {
  readonly keys: StoredKeyRing;
  readonly group: ManagementGroup;
  readonly audit: Audit;
  readonly authority: Authority;
  readonly server: ServerIdentity;
  /** The group of relays that this one belongs to, and by what the others know it. */
  readonly relayGroup: { readonly state: GroupState; readonly identity: MemberIdentity };
  /** How an agent is known by its certificate. */
  readonly authentication: IdentifySettings & { readonly registry: Registry };
}

/** Opens the key ring, the management group, the audit log and the authority, in this order. */
export async function openTrust(building: Building): Promise<Trust> {
  const { configuration, clock, component, inData, defer } = building;
  const { enrolment } = configuration;
  const keyPlace = {
    credentialsFolder: building.credentialsFolder,
    keyFile: configuration.cache.keyFile,
    ownFile: inData('keys', 'cache.json'),
    secrets: building.secrets,
    now: clock.now,
  };
  const keys = await loadKeyRing(keyPlace, component('keys'));
  // It locks its file: a second relay with the same folder ends here, before it touches anything that is shared.
  const group = openManagementGroup(inData('management-group.sqlite'), { keys, clock, log: component('management-group') });
  defer(group.close);
  const audit = await openAudit(building);
  defer(audit.close);
  const authority = await openAuthority(inData('authority'), clock.now, building.secrets);
  const relayGroup = { state: await openGroupState(inData('group')), identity: await openMemberIdentity(inData('group'), building.secrets) };
  const { state } = relayGroup;
  const server = await createServerIdentity({
    options: configuration.authority,
    domain: configuration.domain,
    authority,
    names: { list: () => hostsOf(state.current()), onChange: state.onChange },
    mayKeepUp: () => state.role() !== 'member',
    clock,
    log: component('authority'),
  });
  const authentication = { registry: group.registry, now: clock.now, oldCertificateGraceMs: enrolment.oldCertificateGrace };
  return { keys, group, audit, authority, server, relayGroup, authentication };
}

function openAudit({ configuration, version, clock, metrics, component, inData }: Building): Promise<Audit> {
  return startAudit({
    folder: inData('audit'),
    options: configuration.audit,
    version,
    configuration: asWritten(configuration),
    clock,
    log: component('audit'),
    onEntry: ({ result }) => metrics.count('auditEntries', { result }),
    onFailure: () => metrics.count('auditFailures', {}),
  });
}
