import { readFile, stat } from 'node:fs/promises';
import { Command } from 'commander';
import { asYaml } from '../configuration/as-yaml.ts';
import type { Environment } from '../configuration/environment.ts';
import { configurationFile, loadConfiguration } from '../configuration/load.ts';
import { asWritten, optionReference, referenceTable, writeBetweenMarkers } from '../configuration/reference.ts';
import { writeFileAtomic } from '../files.ts';
import { createOutput, type Output, printValue } from './output.ts';

interface FileFlags {
  readonly config?: string;
  readonly json?: boolean;
}

interface ReferenceFlags {
  readonly json?: boolean;
  readonly write?: string;
}

/** `relay config check | show | reference`. Its actions throw what `loadConfiguration` throws: exit code 2, every problem on a line of its own. */
export function configCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const command = new Command('config').description('check and show the configuration, list every option');
  command
    .command('check')
    .description('say whether the configuration can be used, and everything that is wrong with it')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'as JSON')
    .action((flags: FileFlags) => check(flags, env, outputFor(flags.json ?? false)));
  command
    .command('show')
    .description('show the configuration in use, with every default')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'as JSON')
    .action((flags: FileFlags) => show(flags, env, outputFor(flags.json ?? false)));
  command
    .command('reference')
    .description('list every option as a Markdown table')
    .option('--json', 'as JSON')
    .option('--write <file>', 'put the table between the markers of a Markdown file')
    .action((flags: ReferenceFlags) => reference(flags, outputFor(flags.json ?? false)));
  return command;
}

async function check(flags: FileFlags, env: Environment, output: Output): Promise<void> {
  await loadConfiguration({ file: flags.config, env });
  const file = configurationFile({ file: flags.config, env });
  printValue(output, { ok: true, file }, `${file} is good.`);
}

async function show(flags: FileFlags, env: Environment, output: Output): Promise<void> {
  const configuration = await loadConfiguration({ file: flags.config, env });
  printValue(output, asWritten(configuration), asYaml(configuration).trimEnd());
}

async function reference(flags: ReferenceFlags, output: Output): Promise<void> {
  if (flags.write === undefined) return printValue(output, optionReference(), referenceTable());
  const text = await readFile(flags.write, 'utf8');
  const written = writeBetweenMarkers(text, 'options', referenceTable());
  const { mode } = await stat(flags.write);
  if (written !== text) await writeFileAtomic(flags.write, written, mode & 0o777);
  output.line(`${flags.write} is up to date.`);
}
