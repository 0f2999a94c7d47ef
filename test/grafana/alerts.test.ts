import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { alertTable } from '../../grafana/source/alert-reference.ts';
import { ALERT_RULES_FILE, type AlertRule, readAlertRules } from '../../grafana/source/alert-rules.ts';
import { labelsWithin, problemsOf } from '../support/promql.ts';

const run = promisify(execFile);
const GRAFANA = new URL('../../grafana/', import.meta.url);
const TESTS = new URL('prometheus/tests/', GRAFANA);
const DASHBOARDS = ['relay-overview', 'relay-cache', 'relay-agents', 'relay-upstream', 'relay-appliance'];
const SEVERITIES = ['page', 'warn', 'info'];

const rules = readAlertRules();
const names = new Set(rules.map(({ alert }) => alert));
const testFiles = readdirSync(TESTS).filter((name) => name.endsWith('.test.yml'));
const runbook = readFileSync(new URL('RUNBOOK.md', GRAFANA), 'utf8');

interface RuleTests {
  readonly tests: readonly { readonly name: string; readonly alert_rule_test: readonly AlertTest[] }[];
}

interface AlertTest {
  readonly alertname: string;
  readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>>; readonly exp_annotations: Readonly<Record<string, string>> }[];
}

const testsIn = (name: string): RuleTests => parse(readFileSync(new URL(name, TESTS), 'utf8')) as RuleTests;
const alertTests = testFiles.flatMap((name) => testsIn(name).tests.flatMap((one) => one.alert_rule_test));
const pathOf = (name: string): string => fileURLToPath(new URL(name, GRAFANA));

function named({ alert, labels: { severity } }: AlertRule): string {
  return `${alert} (${severity})`;
}

describe('alert rules', () => {
  it('are taken by Prometheus, alone and with the example of a configuration', async () => {
    const { stdout } = await run('promtool', ['check', 'rules', fileURLToPath(ALERT_RULES_FILE)]);
    assert.match(stdout, new RegExp(`SUCCESS: ${rules.length} rules found`));
    await run('promtool', ['check', 'config', pathOf('prometheus/prometheus.yml')]);
  });

  for (const name of testFiles) {
    it(`fire and stay silent as ${name} says`, async () => {
      const { stdout } = await run('promtool', ['test', 'rules', fileURLToPath(new URL(name, TESTS))]);
      assert.match(stdout, /SUCCESS/);
    });
  }

  for (const rule of rules) {
    const { alert, expr, labels, annotations } = rule;

    it(`ask in ${named(rule)} for what is exposed`, () => assert.deepEqual(problemsOf(expr), []));

    it(`have a test in which ${named(rule)} fires and one in which it does not`, () => {
      const own = alertTests.filter(({ alertname }) => alertname === alert);
      const fires = ({ exp_alerts }: AlertTest): boolean => exp_alerts.some(({ exp_labels }) => exp_labels['severity'] === labels.severity);
      assert.ok(own.some(fires), 'none fires');
      assert.ok(!own.every(fires), 'none stays silent');
    });

    it(`say of ${named(rule)} what it means, what to do, and where to look`, () => {
      assert.ok(SEVERITIES.includes(labels.severity), labels.severity);
      assert.ok(DASHBOARDS.includes(annotations.dashboard), annotations.dashboard);
      assert.equal(annotations.runbook, `grafana/RUNBOOK.md#${alert.toLowerCase()}`);
      assert.doesNotMatch(annotations.summary, /\n|\.$/);
      assert.match(annotations.description, /^\S[\s\S]{80,}\.$/);
      if (alert !== 'RelayTargetMissing') assert.ok(annotations.summary.startsWith('{{ $labels.instance }}: '), annotations.summary);
    });

    it(`name in ${named(rule)} only labels that it can have`, () => {
      const known = labelsWithin(expr);
      const used = [
        ...Object.values(annotations)
          .join(' ')
          .matchAll(/\$labels\.(\w+)/g),
      ].map(([, label]) => label ?? '');
      if (known !== 'any')
        assert.deepEqual(
          [...new Set(used)].filter((label) => !known.includes(label)),
          [],
        );
    });
  }

  it('have one severity each under the same name', () => {
    const all = rules.map(named);
    assert.equal(new Set(all).size, all.length);
  });

  it('are all there is in their tests', () => {
    assert.deepEqual(
      alertTests.map(({ alertname }) => alertname).filter((name) => !names.has(name)),
      [],
    );
  });

  it('are tested down to the words that an operator reads', () => {
    for (const { alertname, exp_alerts } of alertTests) {
      for (const { exp_annotations } of exp_alerts) {
        const { summary = '', description = '' } = exp_annotations;
        assert.doesNotMatch(`${summary} ${description}`, /<no value>|\{\{|%!|NaN/, alertname);
        assert.ok(summary.length > 0 && description.length > 0, alertname);
      }
    }
  });

  it('are printed for the README with a row of four cells each', () => {
    const [heading, , ...rows] = alertTable().split('\n');
    assert.equal(heading, '| alert | severity | fires when | meaning |');
    assert.equal(rows.length, rules.length);
    for (const row of rows) assert.match(row, /^\| \[Relay\w+\]\(grafana\/RUNBOOK\.md#\w+\) \| (page|warn|info) \| `.+`( for \d+[mh])? \| [^|{}]+ \|$/);
  });
});

describe('the runbook', () => {
  it('has a section for each alert, in the order of the rules, and no other', () => {
    assert.deepEqual(
      [...runbook.matchAll(/^## (.+)$/gm)].map(([, title]) => title),
      [...names],
    );
  });

  it('says in each section what it means, how to be sure, what to do, when it clears, and what happens otherwise', () => {
    for (const section of runbook.split(/^## /m).slice(1)) {
      const heads = [...section.matchAll(/^\*\*(.+?):\*\*/gm)].map(([, head]) => head);
      assert.deepEqual(heads, ['Means', 'Be sure', 'Do', 'Clears', 'If you do nothing'], section.slice(0, 30));
    }
  });

  it('leads only to sections that it has', () => {
    const anchors = new Set([...names].map((name) => name.toLowerCase()));
    for (const [, anchor = ''] of runbook.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.has(anchor), anchor);
  });
});

describe("Alertmanager's example", () => {
  const file = pathOf('alertmanager/alertmanager.yml');
  const text = readFileSync(file, 'utf8');

  it('is taken by Alertmanager', async () => {
    await run('amtool', ['check-config', file]);
  });

  it('sends pages to who is on call, and the rest to the operators', async () => {
    for (const [severity, receiver] of Object.entries({ page: 'on-call', warn: 'operators', info: 'operators' })) {
      const { stdout } = await run('amtool', ['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`, 'instance=relay-1']);
      assert.equal(stdout.trim(), receiver);
    }
  });

  it('lets alerts silence each other only by names that there are, and never a page by less', () => {
    const { inhibit_rules } = parse(text) as { readonly inhibit_rules: readonly Readonly<Record<'source_matchers' | 'target_matchers', readonly string[]>>[] };
    for (const { source_matchers, target_matchers } of inhibit_rules) {
      for (const name of [...source_matchers, ...target_matchers].flatMap(namesIn)) assert.ok(names.has(name), name);
      if (severitiesOf(target_matchers).includes('page')) assert.deepEqual(severitiesOf(source_matchers), ['page'], source_matchers.join());
    }
  });
});

function namesIn(matcher: string): string[] {
  const [, value = ''] = /^alertname!?=~?"(.+)"$/.exec(matcher) ?? [];
  return value.split('|').filter((name) => /^\w+$/.test(name));
}

// Which severities the alerts have that are matched, by a matcher or by the rules.
function severitiesOf(matchers: readonly string[]): string[] {
  const own = matchers.flatMap((matcher) => /^severity=~?"(.+)"$/.exec(matcher)?.[1]?.split('|') ?? []);
  const wanted = new Set(matchers.flatMap(namesIn));
  const theirs = rules.filter(({ alert }) => wanted.has(alert)).map(({ labels }) => labels.severity);
  return [...new Set(own.length > 0 ? own : theirs)];
}
