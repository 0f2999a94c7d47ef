import type { Batch, BatchSummary } from '../batch/batch.ts';
import type { AgentId } from '../workspace/workspace-id.ts';
import type { Loss } from './loss.ts';
import type { StoredMember } from './payload-store.ts';
import { countRecords } from './record-count.ts';

/** Whose data it was when not even that can be read. */
const NOBODY = '00000000-0000-0000-0000-000000000000' as AgentId;

/** The loss of one stored batch; its records are counted now, because nobody can later. */
export async function lossOfMember({ content }: StoredMember, facts: Pick<Loss, 'workspaceId' | 'kind' | 'reason'>): Promise<Loss> {
  if (!content.readable) return { ...facts, ...ofSummary(content.summary), batches: 1, records: undefined, bytes: content.bytes };
  const { batch } = content;
  return { ...facts, ...ofSummary(batch), batches: 1, records: await countRecords(batch), bytes: batch.body.length };
}

function ofSummary(known: BatchSummary | Batch | undefined): Pick<Loss, 'agentId' | 'dataType' | 'firstAt' | 'lastAt'> {
  const { agentId = NOBODY, dataType = 'unknown', receivedAt = 0 } = known ?? {};
  return { agentId, dataType, firstAt: receivedAt, lastAt: receivedAt };
}
