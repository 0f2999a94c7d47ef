/** Keeps uploads: checks that a body is what its request says, and stages it. */
import { hash } from 'node:crypto';
import type { Stage } from '../staging/stage.ts';
import type { ReceiptReader } from './receipt-reader.ts';
import type { Intake, Upload } from './upload.ts';
import { readRecords, type UploadedRecords } from './uploaded-records.ts';

export function createStore(stage: Pick<Stage, 'keep'>, receipts: Pick<ReceiptReader, 'count' | 'batchIds'>): Intake {
  return {
    async take(upload) {
      const read = await readRecords(upload);
      if (!read.ok) return { outcome: 'refused', refusal: read.refusal };
      const kept = await stage.keep({ head: headOf(upload, read.value), body: upload.body });
      return kept.kept ? { outcome: 'taken' } : { outcome: 'refused', refusal: kept.refusal };
    },
    count: () => receipts.count(),
    batchIds: () => receipts.batchIds(),
  };
}

function headOf({ body, ...said }: Upload, { dataType, solution, records }: UploadedRecords) {
  return { ...said, kind: 'upload', dataType, solution, records, sha256: hash('sha256', body) } as const;
}
