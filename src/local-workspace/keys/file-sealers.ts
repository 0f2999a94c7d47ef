import type { KeyObject } from 'node:crypto';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { SealerOf } from '../tables/file-sealer.ts';
import { deriveFileKey } from './file-key.ts';
import { openBlock, sealBlock } from './sealed-block.ts';

const PURPOSE = 'file';

/** Sealers of one workspace's files, each with a key of its own derived from the data key. */
export function fileSealers(dataKey: KeyObject, workspaceId: WorkspaceId): SealerOf {
  return (file) => {
    const key = deriveFileKey(dataKey, PURPOSE, file);
    return {
      seal: (place, plain) => Buffer.concat(sealBlock(plain, key, { workspaceId, file, place })),
      open: (place, sealed) => openBlock(sealed, key, { workspaceId, file, place }),
    };
  };
}
