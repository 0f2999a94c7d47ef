import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everyMsOf, isEnabled, type RouteRule, routeOf, type SourcedRule } from '../../src/routing/route.ts';
import { findSolution, platformOf, SOLUTIONS, type Solution, solutionsOf } from '../../src/routing/solutions.ts';

const PERF = solution('Performance counters');
const PERF_TYPE = 'LINUX_PERF_BLOB';

function solution(name: string): Solution {
  return findSolution(name) ?? assert.fail(`no solution ${name}`);
}

function by(source: SourcedRule['source'], words: Partial<RouteRule>): SourcedRule {
  return { solution: PERF.name, ...words, source };
}

const RULES = {
  everywhere: by('configuration', { route: 'relay' }),
  type: by('configuration', { route: 'direct', dataType: PERF_TYPE }),
  web: by('configuration', { route: 'relay', group: 'web' }),
  site: by('configuration', { route: 'direct', group: 'site' }),
  webType: by('configuration', { route: 'direct', group: 'web', dataType: PERF_TYPE }),
} as const;

describe('the table of solutions', () => {
  it('has each name, data type of one platform and sender’s name once', () => {
    const names = SOLUTIONS.map(({ name }) => name.toLowerCase());
    assert.equal(new Set(names).size, names.length);
    for (const platform of ['Windows', 'Linux'] as const) {
      const types = SOLUTIONS.filter(({ platforms }) => platforms.includes(platform)).flatMap(({ dataTypes }) => dataTypes);
      assert.equal(new Set(types).size, types.length, platform);
    }
  });

  const ways: readonly [string, 'relay' | 'direct'][] = [
    ['AD Assessment', 'relay'],
    ['Agent Health', 'relay'],
    ['Alert Management (Operations Manager)', 'relay'],
    ['Capacity and Performance', 'relay'],
    ['Change Tracking (Linux)', 'direct'],
    ['Change Tracking (Windows)', 'relay'],
    ['IIS logs', 'direct'],
    ['Network Performance Monitor', 'direct'],
    ['Performance counters', 'direct'],
    ['Service Map', 'direct'],
    ['Update Management', 'relay'],
    ['Windows event logs', 'relay'],
    ['Windows security event logs', 'direct'],
    ['Wire Data', 'direct'],
  ];
  for (const [name, way] of ways) it(`sends ${name} by default: ${way}`, () => assert.equal(routeOf(solution(name), { groups: [] }, []).value, way));

  it('knows a batch by its data type, else by its sender’s name for the solution, in whatever case', () => {
    const namesOf = (dataType: string, sender: string): string[] => solutionsOf(dataType, sender).map(({ name }) => name);
    assert.deepEqual(namesOf('linux_perf_blob', 'LogManagement'), ['Performance counters']);
    assert.deepEqual(namesOf('HEALTH_ASSESSMENT_BLOB', 'LogManagement'), ['Agent Health']);
    assert.deepEqual(namesOf('Demo', 'CustomLog'), ['Syslog, custom logs']);
    assert.deepEqual(namesOf('CONFIG_CHANGE_BLOB', 'changetracking'), ['Change Tracking (Linux)', 'Change Tracking (Windows)']);
    assert.deepEqual(namesOf('WHATEVER', 'LogManagement'), []);
    assert.deepEqual([platformOf('Microsoft Windows Server 2022'), platformOf('Debian 12'), platformOf('')], ['Windows', 'Linux', 'Linux']);
  });
});

describe('routeOf', () => {
  const { everywhere, type, web, site, webType } = RULES;
  const cases: readonly [string, SourcedRule[], { dataType?: string; groups: string[] }, string, string][] = [
    ['no rule', [], { groups: ['web'] }, 'direct', 'default'],
    ['a rule for the solution', [everywhere], { groups: [] }, 'relay', 'configuration'],
    ['the data type over the solution', [everywhere, type], { dataType: PERF_TYPE, groups: [] }, 'direct', 'configuration'],
    ['another data type', [everywhere, type], { dataType: 'PERF_BLOB', groups: [] }, 'relay', 'configuration'],
    ['the data type in whatever case', [everywhere, type], { dataType: 'linux_perf_blob', groups: [] }, 'direct', 'configuration'],
    ['the group over the data type', [type, web], { dataType: PERF_TYPE, groups: ['web'] }, 'relay', 'configuration'],
    ['group and data type over the group', [type, web, webType], { dataType: PERF_TYPE, groups: ['web'] }, 'direct', 'configuration'],
    ['group and data type of another data type', [web, webType], { dataType: 'PERF_BLOB', groups: ['web'] }, 'relay', 'configuration'],
    ['a group the agent is not in', [everywhere, site], { groups: ['web'] }, 'relay', 'configuration'],
    ['of two groups the first of the agent’s', [web, site], { groups: ['web', 'site'] }, 'relay', 'configuration'],
    ['… in that order', [web, site], { groups: ['site', 'web'] }, 'direct', 'configuration'],
    [
      'group and data type of a second group over the first group alone',
      [site, webType],
      { dataType: PERF_TYPE, groups: ['site', 'web'] },
      'direct',
      'configuration',
    ],
    ['an operator over the configuration', [everywhere, by('operator', { route: 'direct' })], { groups: [] }, 'direct', 'operator'],
    ['the configuration’s group over an operator’s solution', [web, by('operator', { route: 'direct' })], { groups: ['web'] }, 'relay', 'configuration'],
    ['a rule without a route', [by('operator', { isEnabled: false }), everywhere], { groups: [] }, 'relay', 'configuration'],
    ['another solution’s rule', [{ ...everywhere, solution: 'Agent Health' }], { groups: [] }, 'direct', 'default'],
  ];
  for (const [name, rules, circumstances, value, why] of cases) {
    it(`${name}: ${value}`, () => {
      assert.deepEqual(routeOf(PERF, circumstances, rules), { value, why });
      assert.deepEqual(routeOf(PERF, circumstances, rules.toReversed()), { value, why }, 'whatever the order of the rules');
    });
  }

  it('leaves what needs the management group with the relay', () => {
    const bound = solution('Configuration Assessment');
    assert.deepEqual(routeOf(bound, { groups: [] }, [by('operator', { solution: bound.name, route: 'direct' })]), { value: 'relay', why: 'required' });
  });
});

describe('isEnabled and everyMsOf', () => {
  it('take each word from the most specific rule that has it', () => {
    const rules = [
      by('configuration', { isEnabled: false, everyMs: 10_000 }),
      by('operator', { everyMs: 30_000 }),
      by('configuration', { group: 'web', isEnabled: true }),
    ];
    assert.deepEqual(isEnabled(PERF, { groups: [] }, rules), { value: false, why: 'configuration' });
    assert.deepEqual(isEnabled(PERF, { groups: ['web'] }, rules), { value: true, why: 'configuration' });
    assert.deepEqual(everyMsOf(PERF, { groups: ['web'] }, rules), { value: 30_000, why: 'operator' });
    assert.deepEqual(everyMsOf(PERF, { groups: [] }, []), { value: 60_000, why: 'default' });
  });
});
