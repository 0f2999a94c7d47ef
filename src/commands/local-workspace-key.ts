import { Command } from 'commander';
import type { ShownKey } from '../local-workspace/assembly/key-routes.ts';
import { askControl, type ControlRequest } from '../local-workspace/control/control-client.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { subcommand, toWorkspace } from './local-workspace-options.ts';
import { createOutput, printValue } from './output.ts';

interface KeyOptions {
  readonly data: string;
  readonly workspace: WorkspaceId;
  readonly json: boolean;
}

/** `relay local-workspace key`: by what a workspace is sealed. */
export function keyCommand(): Command {
  return new Command('key')
    .description('by which key a workspace is sealed')
    .addCommand(workspaceCommand('show', 'whether its key is there, what wraps its data key, and when that is due to change', { method: 'GET', path: '/key' }))
    .addCommand(
      workspaceCommand('rotate', "wrap its data key anew, by its provider's newest key; no data is written anew", { method: 'POST', path: '/key/rotate' }),
    );
}

function workspaceCommand(name: string, description: string, { method, path }: ControlRequest): Command {
  return subcommand(name, description)
    .requiredOption('--workspace <guid>', 'whose key', toWorkspace)
    .action(async ({ data, workspace, json }: KeyOptions) => {
      const key = (await askControl(data, { method, path: `/workspaces/${workspace}${path}` })) as ShownKey;
      printValue(createOutput(json), key, textOf(key));
    });
}

function textOf({ workspaceId, available, reason, since, provider, keyId, rotationDueAt }: ShownKey): string {
  const state = available ? 'its key is there' : `its key cannot be had since ${since}: ${reason}`;
  const by = provider === undefined ? '' : `; wrapped by ${provider} key ${keyId}`;
  return `${workspaceId}: ${state}${by}${rotationDueAt === undefined ? '' : `, to be wrapped anew by ${rotationDueAt}`}`;
}
