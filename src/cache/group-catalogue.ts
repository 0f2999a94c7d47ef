import { KINDS, type Kind } from '../batch/kind.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Amount } from './balance.ts';
import type { StoredGroup } from './payload-store.ts';
import type { Segment } from './segment.ts';
import { type GroupHeader, type GroupId, PREFIX_BYTES, type Prefix } from './segment-format.ts';

/** A group that is not done, and where it lies. */
export interface CataloguedGroup extends StoredGroup {
  segment: Segment;
  offset: number;
  readonly headerBytes: number;
  readonly payloadBytes: number;
  /** The key that sealed it. */
  readonly keyId: string | undefined;
  /** Body bytes of each member: what its being done takes off the count. */
  readonly memberBytes: readonly number[];
  readonly done: Set<number>;
}

/** The groups on disk that are not done, in memory: by id, with running totals. About 300 bytes a group. */
export interface GroupCatalogue {
  add(header: GroupHeader, prefix: Pick<Prefix, 'headerBytes' | 'payloadBytes'>, segment: Segment, offset: number): CataloguedGroup;
  get(id: GroupId): CataloguedGroup | undefined;
  /** Notes a member as done; true when that was the last of its group, which then leaves the catalogue. */
  finishMember(group: CataloguedGroup, position: number): boolean;
  /** Says that a group lies elsewhere from now on. */
  move(group: CataloguedGroup, segment: Segment, offset: number): void;
  /** Takes a group out of the others' sight, because nobody can open it. It still counts as cached, takes room and keeps its segment. */
  quarantine(group: CataloguedGroup): void;
  /** A group in quarantine. */
  findQuarantined(id: GroupId): CataloguedGroup | undefined;
  /** Groups in quarantine, of one workspace or of all. */
  quarantined(workspaceId?: WorkspaceId): CataloguedGroup[];
  /** Groups of one workspace, kind by kind, in the order in which they were added. */
  of(workspaceId: WorkspaceId): CataloguedGroup[];
  /** Groups of one workspace and kind, in the order in which they were added. Not to be changed meanwhile. */
  ofKind(workspaceId: WorkspaceId, kind: Kind): Iterable<CataloguedGroup>;
  all(): CataloguedGroup[];
  /** When the oldest was received, at the cost of a look at one group a kind: groups of a kind are added in the order of their age. */
  oldestAt(workspaceId: WorkspaceId): number | undefined;
  count(workspaceId: WorkspaceId): number;
  cached(workspaceId: WorkspaceId, kind: Kind): Amount;
  usedBytes(workspaceId?: WorkspaceId): number;
}

export function createGroupCatalogue(): GroupCatalogue {
  const groups = new Map<GroupId, CataloguedGroup>();
  const lanes = new Map<string, Lane>();
  const used = new Map<WorkspaceId, number>();
  const quarantine = new Map<GroupId, CataloguedGroup>();

  const laneOf = (workspaceId: WorkspaceId, kind: Kind): Lane => {
    const key = `${workspaceId} ${kind}`;
    const lane = lanes.get(key) ?? { groups: new Map<GroupId, CataloguedGroup>(), batches: 0, bytes: 0 };
    lanes.set(key, lane);
    return lane;
  };
  const lanesOf = (workspaceId: WorkspaceId): Lane[] => KINDS.flatMap((kind) => lanes.get(`${workspaceId} ${kind}`) ?? []);
  const use = (group: CataloguedGroup, sign: 1 | -1): void => {
    used.set(group.workspaceId, (used.get(group.workspaceId) ?? 0) + sign * sizeOf(group));
  };
  const lie = (group: CataloguedGroup, sign: 1 | -1): void => {
    group.segment.live += sign;
    group.segment.liveBytes += sign * sizeOf(group);
    if (sign > 0 && group.keyId !== undefined) group.segment.keyIds.add(group.keyId);
  };

  return {
    add(header, { headerBytes, payloadBytes }, segment, offset) {
      const { id, workspaceId, kind, keyId, members } = header;
      const memberBytes = members.map((member) => member.bytes);
      const bytes = memberBytes.reduce((sum, one) => sum + one, 0);
      const oldestAt = members.reduce((oldest, member) => Math.min(oldest, member.receivedAt), Number.POSITIVE_INFINITY);
      const place = { segment, offset, headerBytes, payloadBytes };
      const group = { id, workspaceId, kind, batches: members.length, bytes, oldestAt, ...place, keyId, memberBytes, done: new Set<number>() };
      const lane = laneOf(workspaceId, kind);
      groups.set(id, group);
      lane.groups.set(id, group);
      lane.batches += group.batches;
      lane.bytes += bytes;
      lie(group, 1);
      use(group, 1);
      return group;
    },
    get: (id) => groups.get(id),
    finishMember(group, position) {
      const bytes = group.memberBytes[position];
      if (bytes === undefined || group.done.has(position) || (groups.get(group.id) ?? quarantine.get(group.id)) !== group) return false;
      const lane = laneOf(group.workspaceId, group.kind);
      group.done.add(position);
      lane.batches -= 1;
      lane.bytes -= bytes;
      if (group.done.size < group.batches) return false;
      groups.delete(group.id);
      quarantine.delete(group.id);
      lane.groups.delete(group.id);
      lie(group, -1);
      use(group, -1);
      return true;
    },
    move(group, segment, offset) {
      lie(group, -1);
      group.segment = segment;
      group.offset = offset;
      lie(group, 1);
    },
    quarantine(group) {
      groups.delete(group.id);
      laneOf(group.workspaceId, group.kind).groups.delete(group.id);
      quarantine.set(group.id, group);
    },
    findQuarantined: (id) => quarantine.get(id),
    quarantined: (workspaceId) => [...quarantine.values()].filter((group) => workspaceId === undefined || group.workspaceId === workspaceId),
    of: (workspaceId) => lanesOf(workspaceId).flatMap((lane) => [...lane.groups.values()]),
    ofKind: (workspaceId, kind) => laneOf(workspaceId, kind).groups.values(),
    all: () => [...groups.values()],
    count: (workspaceId) => lanesOf(workspaceId).reduce((sum, lane) => sum + lane.groups.size, 0),
    cached(workspaceId, kind) {
      const { batches, bytes } = laneOf(workspaceId, kind);
      return { batches, bytes };
    },
    oldestAt(workspaceId) {
      const ages = lanesOf(workspaceId).flatMap((lane) => lane.groups.values().next().value?.oldestAt ?? []);
      return ages.length === 0 ? undefined : Math.min(...ages);
    },
    usedBytes: (workspaceId) => (workspaceId ? (used.get(workspaceId) ?? 0) : [...used.values()].reduce((sum, one) => sum + one, 0)),
  };
}

/** Groups of one workspace and kind. */
interface Lane {
  readonly groups: Map<GroupId, CataloguedGroup>;
  batches: number;
  bytes: number;
}

/** Bytes a group takes on disk. */
export function sizeOf(group: Pick<CataloguedGroup, 'headerBytes' | 'payloadBytes'>): number {
  return PREFIX_BYTES + group.headerBytes + group.payloadBytes;
}
