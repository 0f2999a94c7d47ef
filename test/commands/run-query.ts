// The command as a process of its own: `node run-query.ts --data …`, with the exit codes and messages of `relay`.
import { kqlCommand } from '../../src/commands/local-workspace-query.ts';
import { CommandFailure } from '../../src/commands/output.ts';
import { messageOf } from '../../src/errors.ts';

try {
  await kqlCommand().parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof CommandFailure ? error.exitCode : 1;
}
