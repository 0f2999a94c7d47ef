import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRefusal } from '../../src/agent/refusal.ts';
import { writeRefusal } from '../../src/oms-protocol/refusal-body.ts';

const CASES: readonly [string, string, { reason: string; message: string }][] = [
  ['XML of the protocol', writeRefusal('InvalidWorkspaceKey', 'Check <the> key & id.'), { reason: 'InvalidWorkspaceKey', message: 'Check <the> key & id.' }],
  ['a JSON error', '{"error":{"code":"Busy","message":"Later."}}', { reason: 'Busy', message: 'Later.' }],
  ['JSON as hapi writes it', '{"statusCode":403,"error":"Forbidden","message":"No."}', { reason: 'Forbidden', message: 'No.' }],
  ['plain text with control characters', 'go\u001b[31m away\n', { reason: 'HTTP 403', message: 'go [31m away' }],
  ['a JSON null', 'null', { reason: 'HTTP 403', message: 'The answer gives no reason.' }],
  ['broken XML', '<?xml version="1.0"?><Error>', { reason: 'HTTP 403', message: '<?xml version="1.0"?><Error>' }],
  ['nothing', '', { reason: 'HTTP 403', message: 'The answer gives no reason.' }],
];

describe('a refusal', () => {
  for (const [what, text, expected] of CASES) {
    it(`is read from ${what}`, () => assert.deepEqual(readRefusal({ status: 403, retryAfter: undefined, text }), { status: 403, ...expected }));
  }

  it('is cut to a length that a terminal and a log can bear', () => {
    assert.equal(readRefusal({ status: 500, retryAfter: undefined, text: 'x'.repeat(60_000) }).message.length, 500);
  });
});
