#!/usr/bin/env -S node --initial-old-space-size=256
/**
 * The process's edge: the command line, exit codes.
 *
 * The heap begins at 256 MiB because V8 counts passing payloads against a small one, and collects all of it several times a second:
 * a quarter of the relay's processor time under load.
 */
import { Command, CommanderError } from 'commander';
import { agentCommand } from './commands/agent.ts';
import { agentsCommand } from './commands/agents.ts';
import { auditCommand } from './commands/audit.ts';
import { authorityCommand } from './commands/authority.ts';
import { backupCommand } from './commands/backup.ts';
import { cacheCommand } from './commands/cache.ts';
import { configCommand } from './commands/config.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { enrolmentKeyCommand } from './commands/enrolment-key.ts';
import { enrolmentTokenCommand } from './commands/enrolment-token.ts';
import { factoryResetCommand } from './commands/factory-reset.ts';
import { groupCommand } from './commands/group.ts';
import { incidentsCommand } from './commands/incidents.ts';
import { keysCommand } from './commands/keys.ts';
import { localWorkspaceCommand } from './commands/local-workspace.ts';
import { lossesCommand } from './commands/losses.ts';
import { CommandFailure, EXIT, exitCodeOf } from './commands/output.ts';
import { registerCommand } from './commands/register.ts';
import { restoreCommand } from './commands/restore.ts';
import { sendersCommand } from './commands/senders.ts';
import { setupCommand } from './commands/setup.ts';
import { solutionsCommand } from './commands/solutions.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { supportBundleCommand } from './commands/support-bundle.ts';
import { topCommand } from './commands/top.ts';
import { upgradeCommand } from './commands/upgrade.ts';
import { packageVersion } from './commands/version.ts';
import { messageOf, RelayError } from './errors.ts';

const { env } = process;

/** Their messages name every problem, each on a line of its own. */
const HAVE_LINES: ReadonlySet<string> = new Set(['relay.configuration.invalid', 'relay.setup.bad-answers']);

const program = new Command('relay')
  .description('Takes log data from a site’s agents, keeps it safe while the cloud is away, and sends it on to Azure Monitor Logs workspaces.')
  .version(packageVersion)
  .addHelpText(
    'after',
    `\nExit codes: ${EXIT.ok} done · ${EXIT.failed} failed, or the answer is no · ${EXIT.usage} wrong arguments or configuration · ${EXIT.notRunning} no running relay · ${EXIT.attention} it works, but something wants attention`,
  )
  .addCommand(startCommand(env))
  .addCommand(statusCommand(env))
  .addCommand(topCommand(env))
  .addCommand(doctorCommand(env))
  .addCommand(supportBundleCommand(env))
  .addCommand(registerCommand(env))
  .addCommand(configCommand(env))
  .addCommand(enrolmentKeyCommand(env))
  .addCommand(sendersCommand(env))
  .addCommand(enrolmentTokenCommand(env))
  .addCommand(agentsCommand(env))
  .addCommand(authorityCommand(env))
  .addCommand(backupCommand(env))
  .addCommand(restoreCommand(env))
  .addCommand(factoryResetCommand())
  .addCommand(cacheCommand(env))
  .addCommand(deadLettersCommand(env))
  .addCommand(lossesCommand(env))
  .addCommand(auditCommand(env))
  .addCommand(incidentsCommand(env))
  .addCommand(groupCommand(env))
  .addCommand(keysCommand(env))
  .addCommand(solutionsCommand(env))
  .addCommand(upgradeCommand())
  .addCommand(setupCommand(env))
  .addCommand(agentCommand())
  .addCommand(localWorkspaceCommand())
  .addCommand(demoCommand());

for (const command of withSubcommands(program)) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((one) => withSubcommands(one as Command))];
}

// A person reads the message and each cause, a program reads one JSON object; nobody is shown a stack.
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const code = error instanceof RelayError ? error.code : 'relay.command.failed';
  const message = HAVE_LINES.has(code) ? (error as RelayError).message : messageOf(error);
  process.stderr.write(`${process.argv.includes('--json') ? JSON.stringify({ error: { code, message } }) : message}\n`);
  if (error instanceof CommandFailure) return error.exitCode;
  return error instanceof RelayError ? exitCodeOf(error) : EXIT.failed;
}
