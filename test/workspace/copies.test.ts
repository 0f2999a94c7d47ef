import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workspacesOptions } from '../../src/workspace/options.ts';

const A = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f';
const B = '7d54bebf-7428-4660-a7e5-ba4b04f1144f';
const KEY = { sharedKeyFile: '/keys/a' };

/** What is wrong with these workspaces, each with its place. */
function problemsOf(...workspaces: readonly object[]): string[] {
  const { error } = workspacesOptions.safeParse(workspaces.map((one) => ({ ...KEY, ...one })));
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('copyTo', () => {
  it('names workspaces, by their ids where they have no name; each other too', () => {
    const found = workspacesOptions.parse([
      { ...KEY, id: A, name: 'bank', copyTo: [B] },
      { ...KEY, id: B, copyTo: ['bank'] },
    ]);
    assert.deepEqual(
      found.map(({ copyTo }) => copyTo),
      [[B], ['bank']],
    );
    assert.deepEqual(workspacesOptions.parse([{ ...KEY, id: A }])[0]?.copyTo, []);
  });

  const faults: readonly (readonly [title: string, workspaces: readonly object[], problem: string])[] = [
    ['a name that no workspace has', [{ id: A, copyTo: ['audit'] }, { id: B }], ': found copyTo "audit"; no workspace has that name'],
    [
      'the id of a workspace that has a name',
      [
        { id: A, copyTo: [B] },
        { id: B, name: 'audit' },
      ],
      `: found copyTo "${B}"; no workspace has that name`,
    ],
    ['the workspace itself', [{ id: A, name: 'bank', copyTo: ['bank'] }], '0.copyTo: found "bank", the workspace itself; names of others'],
    ['the workspace itself by its id', [{ id: A, copyTo: [A] }], `0.copyTo: found "${A}", the workspace itself; names of others`],
    ['a workspace twice', [{ id: A, copyTo: [B, B] }, { id: B }], `0.copyTo: found "${B}" more than once; each workspace gets one copy`],
  ];
  for (const [title, workspaces, problem] of faults) {
    it(`refuses ${title}`, () => assert.deepEqual(problemsOf(...workspaces), [problem]));
  }

  it('takes four names at most', () => {
    const others = [1, 2, 3, 4, 5].map((number) => ({ id: `00000000-0000-4000-8000-00000000000${number}`, name: `copy ${number}` }));
    const names = others.map(({ name }) => name);
    assert.deepEqual(problemsOf({ id: A, copyTo: names.slice(0, 4) }, ...others), []);
    assert.deepEqual(problemsOf({ id: A, copyTo: names }, ...others), ['0.copyTo: found 5 names; at most 4']);
  });

  it('of a workspace that cannot be read hides no other problem, and makes none up', () => {
    assert.deepEqual(
      problemsOf({ id: A, copyTo: [B] }, { id: B, protocol: 'none' }).filter((problem) => problem.includes('copyTo')),
      [],
    );
    assert.deepEqual(problemsOf({ id: A, copyTo: 7 }).length, 1);
  });
});
