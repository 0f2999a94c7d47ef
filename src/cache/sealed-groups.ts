import type { CataloguedGroup, GroupCatalogue } from './group-catalogue.ts';
import { useOf } from './key-use.ts';
import type { PayloadStore, StoredMember } from './payload-store.ts';
import type { Segment } from './segment.ts';
import { decodeHeader, decodePrefix, PREFIX_BYTES } from './segment-format.ts';

/** What a store can tell of the keys that sealed its groups, and of groups whose key is lost. */
export type SealedGroups = Pick<PayloadStore, 'unopenable' | 'unopenableGroups' | 'describe' | 'keyUse'>;

export function createSealedGroups(catalogue: GroupCatalogue, segments: ReadonlySet<Segment>): SealedGroups {
  return {
    unopenable: (workspaceId) => useOf(catalogue.quarantined(workspaceId)),
    unopenableGroups: (keyId) => catalogue.quarantined().filter((group) => group.keyId === keyId),
    async describe(id) {
      const group = catalogue.findQuarantined(id);
      if (!group) return [];
      const bytes = await group.segment.read(group.offset, PREFIX_BYTES + group.headerBytes);
      const prefix = decodePrefix(bytes);
      const header = prefix && decodeHeader(prefix, bytes);
      if (header?.id !== id) return allUnreadable(group);
      const message = `key ${group.keyId} is not in the key ring`;
      return header.members.flatMap((member, position) =>
        group.done.has(position) ? [] : [{ position, content: { readable: false, bytes: member.bytes, message, summary: member } } satisfies StoredMember],
      );
    },
    keyUse() {
      const uses = useOf([...catalogue.all(), ...catalogue.quarantined()]);
      const ofSegments = new Set([...segments].flatMap(({ keyIds }) => [...keyIds]));
      const idle = [...ofSegments].filter((keyId) => uses.every((use) => use.keyId !== keyId));
      return [...uses, ...idle.map((keyId) => ({ keyId, groups: 0, batches: 0, bytes: 0 }))];
    },
  };
}

/** The members of a group of which not even the header can be read. */
export function allUnreadable(group: CataloguedGroup): StoredMember[] {
  const message = `the group is not where segment ${group.segment.name} had it`;
  return group.memberBytes.flatMap((bytes, position) =>
    group.done.has(position) ? [] : [{ position, content: { readable: false, bytes, message } } satisfies StoredMember],
  );
}
