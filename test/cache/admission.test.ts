import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Admission, createAdmission } from '../../src/cache/admission.ts';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { OTHER, WORKSPACE } from './batches.ts';

function admissionWith(of: { used?: Map<WorkspaceId, number>; limit?: number; share?: number; obstacle?: () => string | undefined }): Admission {
  const used = of.used ?? new Map<WorkspaceId, number>();
  return createAdmission(
    { limitBytes: of.limit ?? 1_000, limitPerWorkspaceBytes: of.share },
    {
      usedBytes: (workspaceId) => (workspaceId ? (used.get(workspaceId) ?? 0) : [...used.values()].reduce((sum, one) => sum + one, 0)),
      obstacle: of.obstacle ?? (() => undefined),
    },
  );
}

describe('createAdmission', () => {
  const cases: readonly {
    readonly what: string;
    readonly used: number;
    readonly ofOthers?: number;
    readonly share?: number;
    readonly bytes: number;
    readonly fits: boolean;
  }[] = [
    { what: 'an empty cache', used: 0, bytes: 1, fits: true },
    { what: 'the last byte', used: 999, bytes: 1, fits: true },
    { what: 'one byte too many', used: 1_000, bytes: 1, fits: false },
    { what: 'a batch larger than the limit', used: 0, bytes: 1_001, fits: false },
    { what: 'room that others use', used: 0, ofOthers: 1_000, bytes: 1, fits: false },
    { what: 'the last byte of a share', used: 399, share: 400, bytes: 1, fits: true },
    { what: 'more than a share', used: 400, share: 400, bytes: 1, fits: false },
    { what: 'a share while others use theirs up', used: 0, ofOthers: 500, share: 400, bytes: 400, fits: true },
  ];
  for (const { what, used, ofOthers = 0, share, bytes, fits } of cases) {
    it(`${fits ? 'admits' : 'refuses'} ${what}`, () => {
      const admission = admissionWith({
        used: new Map([
          [WORKSPACE, used],
          [OTHER, ofOthers],
        ]),
        ...(share === undefined ? {} : { share }),
      });
      assert.equal(admission.admit(WORKSPACE, bytes).admitted, fits);
    });
  }

  it('counts batches on their way to disk until they are let go', () => {
    const admission = admissionWith({ share: 600 });
    const first = admission.admit(WORKSPACE, 600);
    assert.ok(first.admitted);
    assert.equal(admission.admit(WORKSPACE, 1).admitted, false);
    assert.ok(admission.admit(OTHER, 400).admitted);
    assert.equal(admission.admit(OTHER, 1).admitted, false);
    first.release();
    assert.ok(admission.admit(WORKSPACE, 600).admitted);
  });

  it('takes nothing while there is an obstacle, and says which', () => {
    let obstacle: string | undefined = 'Redis does not answer.';
    const admission = admissionWith({ obstacle: () => obstacle });
    assert.deepEqual(admission.admit(WORKSPACE, 1), { admitted: false, message: 'Redis does not answer.' });
    obstacle = undefined;
    assert.ok(admission.admit(WORKSPACE, 1).admitted);
  });

  it('names the limit that was reached', () => {
    const full = admissionWith({ used: new Map([[WORKSPACE, 1_000]]) }).admit(WORKSPACE, 1);
    assert.match(full.admitted ? '' : full.message, /1000 of 1000 bytes \(cache\.limit\)/);
    const share = admissionWith({ used: new Map([[WORKSPACE, 500]]), share: 500 }).admit(WORKSPACE, 1);
    assert.match(share.admitted ? '' : share.message, /500 of 500 bytes \(cache\.limitPerWorkspace\)/);
  });
});
