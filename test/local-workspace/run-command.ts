// The commands as a process of their own: `node run-command.ts start --data …`.
import { localWorkspaceCommand } from '../../src/commands/local-workspace.ts';

await localWorkspaceCommand().parseAsync(process.argv.slice(2), { from: 'user' });
