import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RelayError } from '../src/errors.ts';
import { kindOfLine, type LineTraits } from '../src/line-kind.ts';

const LINE: LineTraits = { level: 'warn', component: 'cache', message: 'it failed', facts: {} };
const BANK = '11111111-1111-4111-8111-111111111111';
const PLANT = '22222222-2222-4222-8222-222222222222';

const isAlike = (one: Partial<LineTraits>, other: Partial<LineTraits>): boolean => kindOfLine({ ...LINE, ...one }) === kindOfLine({ ...LINE, ...other });
const facts = (...both: [Record<string, unknown>, Record<string, unknown>]): [Partial<LineTraits>, Partial<LineTraits>] => [
  { facts: both[0] },
  { facts: both[1] },
];

const ALIKE: Readonly<Record<string, readonly [Partial<LineTraits>, Partial<LineTraits>]>> = {
  'the batch': facts({ batchId: '0198-a' }, { batchId: '0198-b' }),
  'the agent': facts({ agentId: 'a' }, { agentId: 'b' }),
  'the address': facts({ remoteAddress: '10.0.0.1' }, { remoteAddress: '10.0.0.2' }),
  'numbers and ids in the message': [{ message: `Agent ${BANK} waits for 3 s` }, { message: `Agent ${PLANT} waits for 40 s` }],
  'what the message quotes': [{ message: 'There is no key "one".' }, { message: 'There is no key "an other".' }],
  'the port in the reason': facts({ reason: 'connect ECONNREFUSED 10.0.0.1:443' }, { reason: 'connect ECONNREFUSED 10.0.0.9:8443' }),
  'the message beside a code of ours': [
    { message: 'Agent web is suspended', facts: { code: 'relay.agent.suspended' } },
    { message: 'Agent db is suspended', facts: { code: 'relay.agent.suspended' } },
  ],
  "the numbers of an error's message": facts({ err: new Error('at 12') }, { err: new Error('at 13') }),
};

const UNLIKE: Readonly<Record<string, readonly [Partial<LineTraits>, Partial<LineTraits>]>> = {
  'the level': [{ level: 'warn' }, { level: 'error' }],
  'the component': [{ component: 'cache' }, { component: 'upstream' }],
  'the message': [{ message: 'it failed' }, { message: 'it broke' }],
  'the workspace': facts({ workspaceId: BANK }, { workspaceId: PLANT }),
  'the workspace beside a code of ours': facts({ code: 'relay.agent.suspended', workspaceId: BANK }, { code: 'relay.agent.suspended', workspaceId: PLANT }),
  'the reason': facts({ reason: 'cache-full' }, { reason: 'too-old' }),
  'the kind of data': facts({ kind: 'Event' }, { kind: 'Alert' }),
  'the code': facts({ code: 'relay.agent.suspended' }, { code: 'relay.agent.pending' }),
  'the message of a fault of ours': [
    { message: 'this', facts: { code: 'relay.internal' } },
    { message: 'that', facts: { code: 'relay.internal' } },
  ],
  "the error's code": facts({ err: new RelayError('relay.a.b', 'x') }, { err: new RelayError('relay.a.c', 'x') }),
  'the error': facts({ err: new TypeError('x') }, { err: new RangeError('x') }),
};

describe('kindOfLine', () => {
  for (const [what, [one, other]] of Object.entries(ALIKE)) it(`takes lines as alike that differ in ${what}`, () => assert.equal(isAlike(one, other), true));
  for (const [what, [one, other]] of Object.entries(UNLIKE))
    it(`takes lines as different that differ in ${what}`, () => assert.equal(isAlike(one, other), false));

  it('is quick whatever a stranger put into the text', () => {
    const begin = performance.now();
    kindOfLine({ ...LINE, message: '"'.repeat(1_000_000), facts: { reason: 'a-'.repeat(1_000_000) } });
    assert.ok(performance.now() - begin < 100);
  });
});
