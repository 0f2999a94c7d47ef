import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import type { Environment } from '../configuration/environment.ts';
import { configurationFile, loadConfiguration } from '../configuration/load.ts';
import type { Configuration } from '../configuration/schema.ts';
import { examine } from '../doctor/doctor.ts';
import { worstOf } from '../doctor/finding.ts';
import { reportOf } from '../doctor/report.ts';
import { readDuration } from '../units.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';
import { packageVersion } from './version.ts';

interface DoctorFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly upload?: boolean;
  readonly workspace?: string;
  readonly limit: string;
}

/** `relay doctor`: what is wrong, where, and what to do about it. It needs no running relay, and asks one if there is one. */
export function doctorCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  return new Command('doctor')
    .description('look at everything the relay needs, step by step, and say what is wrong and what to do')
    .option('--config <file>', 'the configuration file')
    .option('--workspace <name>', 'look at this workspace only, by its name or id')
    .option('--upload', 'also send one test record (an Operation record of the category RelayDoctor) to each workspace')
    .option('--limit <duration>', 'how long a step may take', '5s')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `\nExit codes: ${EXIT.ok} all is well · ${EXIT.failed} something is wrong · ${EXIT.attention} it works, but something wants attention`,
    )
    .action((flags: DoctorFlags) => run(flags, env, outputFor(flags.json ?? false)));
}

async function run(flags: DoctorFlags, env: Environment, output: Output): Promise<void> {
  const limitMs = readDuration(flags.limit);
  if (limitMs === undefined || limitMs === 0) throw new CommandFailure(EXIT.usage, `--limit ${JSON.stringify(flags.limit)} is not a duration such as 5s.`);
  const configuration = await loadConfiguration({ file: flags.config, env });
  const findings = await examine({
    configuration,
    file: configurationFile({ file: flags.config, env }),
    version: packageVersion,
    limitMs,
    upload: flags.upload ?? false,
    workspaces: chosen(configuration, flags.workspace),
    workspacesOnly: flags.workspace !== undefined,
    now: systemClock.now,
  });
  const worst = worstOf(findings);
  printValue(output, { worst, findings }, reportOf(findings));
  if (worst !== 'good') process.exitCode = worst === 'wrong' ? EXIT.failed : EXIT.attention;
}

function chosen({ workspaces }: Configuration, wanted: string | undefined): readonly WorkspaceOptions[] {
  if (wanted === undefined) return workspaces;
  const found = workspaces.filter(({ id, name }) => name === wanted || id === wanted.toLowerCase());
  if (found.length > 0) return found;
  const known = workspaces.map(({ name }) => name).join(', ') || 'none';
  throw new CommandFailure(EXIT.usage, `There is no workspace ${JSON.stringify(wanted)}. The configuration has: ${known}.`);
}
