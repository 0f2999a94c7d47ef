import type { Kind } from '../batch/kind.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Amount } from './balance.ts';
import type { StoredGroup } from './payload-store.ts';
import type { Segment } from './segment.ts';
import { type GroupHeader, type GroupId, PREFIX_BYTES, type Prefix } from './segment-format.ts';

/** A group that is not done, and where it lies. */
export interface CataloguedGroup extends StoredGroup {
  readonly segment: Segment;
  readonly offset: number;
  readonly headerBytes: number;
  readonly payloadBytes: number;
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
  of(workspaceId: WorkspaceId): CataloguedGroup[];
  count(workspaceId: WorkspaceId): number;
  cached(workspaceId: WorkspaceId, kind: Kind): Amount;
  usedBytes(workspaceId?: WorkspaceId): number;
}

export function createGroupCatalogue(): GroupCatalogue {
  const byWorkspace = new Map<WorkspaceId, Map<GroupId, CataloguedGroup>>();
  const workspaceOf = new Map<GroupId, WorkspaceId>();
  const amounts = new Map<string, { batches: number; bytes: number }>();
  const used = new Map<WorkspaceId, number>();

  const tally = (group: StoredGroup, batches: number, bytes: number): void => {
    const key = `${group.workspaceId} ${group.kind}`;
    const amount = amounts.get(key) ?? { batches: 0, bytes: 0 };
    amounts.set(key, { batches: amount.batches + batches, bytes: amount.bytes + bytes });
  };
  const use = (group: CataloguedGroup, sign: 1 | -1): void => {
    used.set(group.workspaceId, (used.get(group.workspaceId) ?? 0) + sign * sizeOf(group));
  };

  return {
    add(header, prefix, segment, offset) {
      const { id, workspaceId, kind, members } = header;
      const memberBytes = members.map((member) => member.bytes);
      const bytes = memberBytes.reduce((sum, one) => sum + one, 0);
      const oldestAt = Math.min(...members.map((member) => member.receivedAt));
      const { headerBytes, payloadBytes } = prefix;
      const group = {
        id,
        workspaceId,
        kind,
        batches: members.length,
        bytes,
        oldestAt,
        segment,
        offset,
        headerBytes,
        payloadBytes,
        memberBytes,
        done: new Set<number>(),
      };
      const groups = byWorkspace.get(workspaceId) ?? new Map<GroupId, CataloguedGroup>();
      byWorkspace.set(workspaceId, groups.set(id, group));
      workspaceOf.set(id, workspaceId);
      segment.live += 1;
      tally(group, group.batches, bytes);
      use(group, 1);
      return group;
    },
    get(id) {
      const workspaceId = workspaceOf.get(id);
      return workspaceId && byWorkspace.get(workspaceId)?.get(id);
    },
    finishMember(group, position) {
      if (group.done.has(position) || !workspaceOf.has(group.id)) return false;
      group.done.add(position);
      tally(group, -1, -(group.memberBytes[position] ?? 0));
      if (group.done.size < group.batches) return false;
      byWorkspace.get(group.workspaceId)?.delete(group.id);
      workspaceOf.delete(group.id);
      group.segment.live -= 1;
      use(group, -1);
      return true;
    },
    of: (workspaceId) => [...(byWorkspace.get(workspaceId)?.values() ?? [])],
    count: (workspaceId) => byWorkspace.get(workspaceId)?.size ?? 0,
    cached: (workspaceId, kind) => amounts.get(`${workspaceId} ${kind}`) ?? { batches: 0, bytes: 0 },
    usedBytes: (workspaceId) => (workspaceId ? (used.get(workspaceId) ?? 0) : [...used.values()].reduce((sum, one) => sum + one, 0)),
  };
}

/** Bytes a group takes on disk. */
export function sizeOf(group: Pick<CataloguedGroup, 'headerBytes' | 'payloadBytes'>): number {
  return PREFIX_BYTES + group.headerBytes + group.payloadBytes;
}
