import { Command } from 'commander';
import { askControl, type ControlRequest } from '../local-workspace/control/control-client.ts';
import type { LiftedLock } from '../local-workspace/retention/lock-routes.ts';
import type { ShownLock } from '../local-workspace/retention/workspace-lock.ts';
import { type Column, tableOf } from '../table.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { subcommand, toWorkspace } from './local-workspace-options.ts';
import { createOutput, type Output, printValue } from './output.ts';

interface Place {
  readonly data: string;
  readonly json: boolean;
  readonly workspace: WorkspaceId;
}

interface ReasonFlags extends Place {
  readonly reason: string;
}

const COLUMNS: readonly Column<ShownLock['steps'][number]>[] = [
  ['AT', (row) => row.at],
  ['LOCK', (row) => row.step],
  ['BY', (row) => row.by],
  ['REASON', (row) => row.reason],
];

/** `relay local-workspace lock set | lift | show`: while a workspace is locked, nobody purges it, deletes its tables or changes its retention. */
export function lockCommand(outputFor: (json: boolean) => Output = createOutput): Command {
  const set = withReason('set', 'forbid purges, table deletion and changes of the retention').action(async ({ reason, ...place }: ReasonFlags) => {
    const lock = await ask(place, 'POST', { reason });
    printValue(outputFor(place.json), lock, `The workspace is locked. ${LEAVES}`);
  });
  const lift = withReason('lift', 'permit them again; operations and shortenings that waited go on').action(async ({ reason, ...place }: ReasonFlags) => {
    const lock = (await ask(place, 'DELETE', { reason })) as LiftedLock;
    const goesOn = lock.goesOn.length === 0 ? '' : ` These go on now: ${lock.goesOn.join(', ')}.`;
    printValue(outputFor(place.json), lock, `The lock is lifted.${goesOn}`);
  });
  const show = inWorkspace('show', 'whether it is locked, and who set and lifted locks').action(async (place: Place) => {
    const lock = (await ask(place, 'GET')) as ShownLock;
    const state = lock.locked ? `Locked since ${lock.since} by ${lock.by}: "${lock.reason}". ${LEAVES}` : 'Not locked.';
    printValue(outputFor(place.json), lock, lock.steps.length === 0 ? state : `${state}\n${tableOf(lock.steps, COLUMNS)}`);
  });
  return new Command('lock').description('a lock on what removes rows').addCommand(set).addCommand(lift).addCommand(show);
}

const LEAVES = 'Rows past the retention in force go on leaving.';

function ask({ data, workspace }: Place, method: ControlRequest['method'], body?: unknown): Promise<unknown> {
  return askControl(data, { method, path: `/workspaces/${workspace}/lock`, body });
}

function withReason(name: string, description: string): Command {
  return inWorkspace(name, description).requiredOption('--reason <text>', 'why; it is shown to whoever is refused');
}

function inWorkspace(name: string, description: string): Command {
  return subcommand(name, description).requiredOption('--workspace <guid>', 'whose', toWorkspace);
}
