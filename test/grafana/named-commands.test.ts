import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { allDashboards, dashboardText } from '../../grafana/source/dashboards.ts';
import { agentsCommand } from '../../src/commands/agents.ts';
import { auditCommand } from '../../src/commands/audit.ts';
import { authorityCommand } from '../../src/commands/authority.ts';
import { cacheCommand } from '../../src/commands/cache.ts';
import { configCommand } from '../../src/commands/config.ts';
import { deadLettersCommand } from '../../src/commands/dead-letters.ts';
import { doctorCommand } from '../../src/commands/doctor.ts';
import { enrolmentKeyCommand } from '../../src/commands/enrolment-key.ts';
import { enrolmentTokenCommand } from '../../src/commands/enrolment-token.ts';
import { keysCommand } from '../../src/commands/keys.ts';
import { lossesCommand } from '../../src/commands/losses.ts';
import { registerCommand } from '../../src/commands/register.ts';
import { solutionsCommand } from '../../src/commands/solutions.ts';
import { statusCommand } from '../../src/commands/status.ts';
import { supportBundleCommand } from '../../src/commands/support-bundle.ts';
import { topCommand } from '../../src/commands/top.ts';

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [
    agentsCommand({}),
    auditCommand({}),
    authorityCommand({}),
    cacheCommand({}),
    configCommand({}),
    deadLettersCommand({}),
    doctorCommand({}),
    enrolmentKeyCommand({}),
    enrolmentTokenCommand({}),
    keysCommand({}),
    lossesCommand({}),
    registerCommand({}),
    solutionsCommand({}),
    statusCommand({}),
    supportBundleCommand({}),
    topCommand({}),
  ].map((command) => [command.name(), command]),
);

/** Commands as they are named in a text: their words up to the end of what can be one. */
function namedIn(text: string): string[][] {
  return [...text.matchAll(/\brelay ((?:[a-z][a-z-]*)(?:[ \n]+(?:--)?[a-z][a-z-]*(?:[ \n]+(?:[A-Z0-9<{'"][^\s`]*|\d+\w))?)*)/g)].map(([, words = '']) =>
    words.split(/\s+/),
  );
}

/** What is wrong with a command; undefined when it is one, or when the words are prose. */
function problemOf([name = '', ...words]: readonly string[]): string | undefined {
  const command = COMMANDS.get(name);
  if (!command) return undefined;
  const [first = ''] = words;
  const subcommand = command.commands.find((each) => each.name() === first || each.aliases().includes(first));
  if (command.commands.length > 0 && !subcommand) return `relay ${name} has no ${first || 'meaning by itself'}`;
  const known = (subcommand ?? command).options.map(({ long }) => long);
  // An option right behind the command, or behind another one's value; prose ends it.
  const options = words.slice(subcommand ? 1 : 0).filter((word) => word.startsWith('--'));
  const strange = options.find((option) => !known.includes(option));
  return strange === undefined ? undefined : `relay ${name} ${subcommand?.name() ?? ''} has no ${strange}`;
}

const texts = {
  'the runbook': await readFile(new URL('../../grafana/RUNBOOK.md', import.meta.url), 'utf8'),
  'the alert rules': await readFile(new URL('../../grafana/prometheus/rules/relay.rules.yml', import.meta.url), 'utf8'),
  'the dashboards': Object.values(allDashboards()).map(dashboardText).join('\n'),
};

describe('the commands that an operator is told to type', () => {
  for (const [where, text] of Object.entries(texts)) {
    it(`exist, with their options, in ${where}`, () => {
      const named = namedIn(text);
      assert.ok(named.filter(([name = '']) => COMMANDS.has(name)).length > 5, 'some are named');
      assert.deepEqual(new Set(named.flatMap((words) => problemOf(words) ?? [])), new Set());
    });
  }

  it('are told from such as do not exist', () => {
    for (const wrong of ['relay cache empty', 'relay doctor --workspac bank', 'relay dead-letters replay --everything']) {
      assert.equal(namedIn(wrong).flatMap((words) => problemOf(words) ?? []).length, 1, wrong);
    }
  });
});
