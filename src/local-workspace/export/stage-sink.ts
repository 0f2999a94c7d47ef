/** Takes exported rows back into a running workspace: each file as a whole, and once. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { RelayError } from '../../errors.ts';
import type { Receipts } from '../intake/receipts.ts';
import type { Stage } from '../staging/stage.ts';
import type { RestoreSink } from './restore.ts';

const gzipBody = promisify(gzip);

export function createStageSink(stage: Pick<Stage, 'keep'>, receipts: Pick<Receipts, 'hasRestored'>, now: () => number): RestoreSink {
  return {
    async take({ table, columns, sha256 }, rows) {
      const pieces: Buffer[] = [];
      let count = 0;
      // Also a file that was taken before is read to its end, so that what is wrong with it is told.
      for await (const some of rows) {
        pieces.push(Buffer.from(some.map((row) => `${JSON.stringify(row)}\n`).join('')));
        count += some.length;
      }
      if (count === 0 || receipts.hasRestored(sha256)) return;
      const body = await gzipBody(Buffer.concat(pieces));
      const kept = await stage.keep({ head: { kind: 'restored', table, columns, sha256, rows: count, receivedAt: now(), encoding: 'gzip' }, body });
      if (!kept.kept) throw new RelayError('relay.local-workspace.not-restored', `Rows of table ${table} were not taken back: ${kept.refusal.message}`);
    },
  };
}
