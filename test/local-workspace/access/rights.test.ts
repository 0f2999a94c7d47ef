import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS, type Action, LASTING, mayDo, mayDoForAWhile, ROLES, rolesFor, type Standing } from '../../../src/local-workspace/access/rights.ts';

const STANDINGS: readonly Standing[] = [...ROLES, 'support'];

// reader, contributor, data purger, owner, support
const EXPECTED: Readonly<Record<Action, string>> = {
  query: 'rc-o-',
  'tables.list': 'rcpo-',
  'retention.read': 'rc-o-',
  'retention.change': '-c-o-',
  'purge.request': '--po-',
  'purge.read': '--po-',
  'lock.read': 'rc-o-',
  'lock.set': '---o-',
  'lock.lift': '---o-',
  'table.delete': '---o-',
  'export.create': '-c-o-',
  'export.read': '-c-o-',
  'saved-query.read': '-c-o-',
  'saved-query.write': '-c-o-',
  'incident.read': '-c-o-',
  'incident.change': '-c-o-',
  'key.read': '---o-',
  'key.rotate': '---o-',
  'key.change': '---o-',
  'access.read': '---o-',
  'access.grant': '---o-',
  'access.request': '---os',
  'access.decide': '---o-',
  'audit.read': '---o-',
  'workspace.status': 'rc-o-',
  'processing.change': '---o-',
};

test('each role may do exactly what the table says', () => {
  assert.deepEqual(Object.keys(EXPECTED), [...ACTIONS]);
  const letters = ['r', 'c', 'p', 'o', 's'];
  for (const action of ACTIONS) {
    const found = STANDINGS.map((standing, at) => (mayDo(standing, action) ? letters[at] : '-')).join('');
    assert.equal(found, EXPECTED[action], action);
  }
});

test('support that was approved for a while has its role, without what would outlive it', () => {
  for (const role of ROLES) {
    for (const action of ACTIONS) assert.equal(mayDoForAWhile(role, action), mayDo(role, action) && !LASTING.includes(action), `${role} ${action}`);
  }
  assert.deepEqual(LASTING, ['access.grant', 'access.decide', 'key.change']);
});

test('a refusal can name the roles that permit an action', () => {
  assert.deepEqual(rolesFor('purge.request'), ['data-purger', 'owner']);
});
