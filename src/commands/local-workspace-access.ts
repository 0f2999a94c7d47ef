import { Command, InvalidArgumentError, Option } from 'commander';
import { ACCESS_MINUTES, TOKEN_DAYS } from '../local-workspace/access/access-input.ts';
import { ROLES } from '../local-workspace/access/rights.ts';
import type { ShownRequest } from '../local-workspace/access/shown-request.ts';
import type { CreatedToken, ShownToken } from '../local-workspace/access/tokens.ts';
import { askControl } from '../local-workspace/control/control-client.ts';
import type { Column } from '../table.ts';
import { readDuration } from '../units.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { subcommand, toWorkspace, wholeNumber } from './local-workspace-options.ts';
import { createOutput, type Output, printRows, printValue } from './output.ts';

const TOKEN_COLUMNS: readonly Column<ShownToken>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['ROLE', (row) => row.role],
  ['STATE', (row) => row.state],
  ['EXPIRES', (row) => row.expiresAt],
  ['LAST USED', (row) => row.lastUsed ?? 'never'],
  ['CREATED BY', (row) => row.createdBy],
];

const REQUEST_COLUMNS: readonly Column<ShownRequest>[] = [
  ['ID', (row) => row.id],
  ['SUPPORT', (row) => row.support.name],
  ['ROLE', (row) => row.role],
  ['MINUTES', (row) => row.minutes],
  ['STATE', (row) => row.state],
  ['ENDS', (row) => row.endsAt ?? ''],
  ['REASON', (row) => row.reason],
  ['DECIDED BY', (row) => row.steps.map(({ step, by, comment }) => `${step} by ${by}: ${comment}`).join('; ')],
];

type OutputFor = (json: boolean) => Output;

interface Place {
  readonly data: string;
  readonly json: boolean;
  readonly workspace: WorkspaceId;
}

/** `relay local-workspace access`: tokens, and requests of support people, of the running local workspace. */
export function accessCommand(outputFor: OutputFor = createOutput): Command {
  return new Command('access')
    .description('who may do what in a workspace: access tokens, and access for support people')
    .addCommand(tokensCommand(outputFor))
    .addCommand(requestsCommand(outputFor));
}

function tokensCommand(outputFor: OutputFor): Command {
  return new Command('tokens')
    .description('access tokens, for queries and orders over HTTPS')
    .addCommand(createTokenCommand(outputFor))
    .addCommand(
      inWorkspace('list', 'every token the workspace has had').action(async (place: Place) => {
        printRows(outputFor(place.json), (await ask(place, '/tokens')) as ShownToken[], TOKEN_COLUMNS, 'No tokens.');
      }),
    )
    .addCommand(
      inWorkspace('revoke', "end a token's access to the workspace at once; a token of several workspaces keeps the others")
        .argument('<id>', 'as list shows it')
        .action(async (id: string, place: Place) => {
          const token = (await ask(place, `/tokens/${encodeURIComponent(id)}/revoke`, {})) as ShownToken;
          printValue(outputFor(place.json), token, `Token ${token.id} (${token.name}) is revoked.`);
        }),
    );
}

interface NewTokenFlags extends Omit<Place, 'workspace'> {
  readonly workspace: readonly WorkspaceId[];
  readonly name: string;
  readonly role: string;
  readonly days: number;
}

function createTokenCommand(outputFor: OutputFor): Command {
  return subcommand('create', 'make a token, and show it this once')
    .requiredOption('--workspace <guid...>', 'the workspaces it is for', collectWorkspaces)
    .requiredOption('--name <name>', 'whose or what it is')
    .addOption(new Option('--role <role>', 'what it may do; support: only ask an owner for a role').choices([...ROLES, 'support']).makeOptionMandatory())
    .option('--days <days>', 'how long it is good', wholeNumber(1, TOKEN_DAYS.most), TOKEN_DAYS.usual)
    .action(async ({ data, json, workspace: [workspace, ...workspaces], name, role, days }: NewTokenFlags) => {
      if (workspace === undefined) return;
      const token = (await ask({ data, json, workspace }, '/tokens', { name, role, days, workspaces })) as CreatedToken;
      printValue(
        outputFor(json),
        token,
        `${token.secret}\nThis is token ${token.id} (${token.name}, ${token.role}), good until ${token.expiresAt}. It is not shown again.`,
      );
    });
}

interface NewRequestFlags extends Place {
  readonly support: string;
  readonly role: string;
  readonly reason: string;
  readonly for: number;
}

function requestsCommand(outputFor: OutputFor): Command {
  return new Command('requests')
    .description('access for support people: asked for, decided by an owner, over by itself')
    .addCommand(
      inWorkspace('list', 'the newest requests').action(async (place: Place) => {
        printRows(outputFor(place.json), (await ask(place, '/access-requests')) as ShownRequest[], REQUEST_COLUMNS, 'No requests.');
      }),
    )
    .addCommand(
      inWorkspace('create', "enter a request for a support person; an owner's token must approve it then")
        .requiredOption('--support <id>', "the support person's token, as tokens list shows it")
        .addOption(new Option('--role <role>', 'what they need to be').choices(ROLES).makeOptionMandatory())
        .requiredOption('--reason <text>', 'why')
        .addOption(new Option('--for <duration>', 'how long once it is approved, at most 24h').argParser(toMinutes).default(ACCESS_MINUTES.usual, '4h'))
        .action(async ({ support, role, reason, for: minutes, ...place }: NewRequestFlags) => {
          show(outputFor, place, await ask(place, '/access-requests', { support, role, reason, minutes }));
        }),
    )
    .addCommand(decisionCommand('approve', 'give the access that was asked for, from now on', outputFor))
    .addCommand(decisionCommand('reject', 'refuse it', outputFor))
    .addCommand(decisionCommand('withdraw', 'take it back at once', outputFor));
}

function decisionCommand(name: string, description: string, outputFor: OutputFor): Command {
  return inWorkspace(name, description)
    .argument('<id>', 'as list shows it')
    .requiredOption('--comment <text>', 'why')
    .action(async (id: string, { comment, ...place }: Place & { readonly comment: string }) => {
      show(outputFor, place, await ask(place, `/access-requests/${encodeURIComponent(id)}/${name}`, { comment }));
    });
}

function show(outputFor: OutputFor, { json }: Place, answer: unknown): void {
  const { id, state, role, support, endsAt } = answer as ShownRequest;
  printValue(outputFor(json), answer, `Request ${id} of ${support.name} for ${role} is ${state}${endsAt === undefined ? '' : ` until ${endsAt}`}.`);
}

function ask({ data, workspace }: Place, path: string, body?: unknown): Promise<unknown> {
  return askControl(data, { method: body === undefined ? 'GET' : 'POST', path: `/workspaces/${workspace}${path}`, body });
}

function inWorkspace(name: string, description: string): Command {
  return subcommand(name, description).requiredOption('--workspace <guid>', 'whose', toWorkspace);
}

function collectWorkspaces(text: string, before: readonly WorkspaceId[] | undefined): WorkspaceId[] {
  return [...(before ?? []), toWorkspace(text)];
}

function toMinutes(text: string): number {
  const minutes = (readDuration(text) ?? 0) / 60_000;
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= ACCESS_MINUTES.most) return minutes;
  throw new InvalidArgumentError('It must be a duration in whole minutes such as 90m or 4h, 24h at most.');
}
