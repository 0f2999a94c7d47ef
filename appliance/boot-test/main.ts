/** Boots the appliance under software emulation and sees that it does what it must; see --help. Exit code 0: all of it. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runNow } from './programs.ts';
import type { Bench } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { createSteps } from './steps.ts';

const HELP = `usage: boot-test.sh --image <relay.qcow2> [--work <folder>] [--patience <seconds>] [scenario ...]

Without a scenario, all of them:
${scenarios.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join('\n')}

  --image      the image to boot; it stays as it is
  --work       folder for disks, consoles and logs, which stay there afterwards; appliance/out/boot-test unless named
  --patience   how long to wait for anything that a boot brings: 900 seconds unless told, as software emulation is slow
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { image: { type: 'string' }, work: { type: 'string' }, patience: { type: 'string', default: '900' }, help: { type: 'boolean', short: 'h' } },
});
const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (values.help || values.image === undefined || unknown.length > 0 || !(Number(values.patience) > 0)) {
  for (const name of unknown) process.stderr.write(`There is no scenario ${name}.\n`);
  (values.help ? process.stdout : process.stderr).write(HELP);
  process.exit(values.help ? 0 : 2);
}

const work = resolve(values.work ?? new URL('../out/boot-test', import.meta.url).pathname);
const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code));
}
const failed: string[] = [];
for (const scenario of chosen) {
  process.stdout.write(`\n${scenario.name}: ${scenario.about}\n`);
  const steps = createSteps(
    (line) => void process.stdout.write(`${line}\n`),
    () => performance.now(),
  );
  try {
    await scenario.run(await benchFor(join(work, scenario.name), resolve(values.image), steps));
  } catch (error) {
    failed.push(scenario.name);
    process.stdout.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
}
process.stdout.write(
  failed.length === 0 ? `\nAll well: ${chosen.map(({ name }) => name).join(', ')}.\n` : `\nFAILED: ${failed.join(', ')}. Consoles and logs: ${work}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function benchFor(folder: string, image: string, steps: Bench['steps']): Promise<Bench> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const sshKey = join(folder, 'ops');
  runNow('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'boot-test', '-f', sshKey]);
  return { steps, image, folder, sshKey, sshPublicKey: (await readFile(`${sshKey}.pub`, 'utf8')).trim(), patienceMs: Number(values.patience) * 1000 };
}
