import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { parse } from 'yaml';
import { systemClock } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import { askControl } from '../local-workspace/control/control-client.ts';
import { FAULT_MODES } from '../local-workspace/faults/faults.ts';
import { ensureWorkspaceKey } from '../local-workspace/intake/workspace-key.ts';
import { createLocalWorkspace, type Listening } from '../local-workspace/local-workspace.ts';
import { SERVICES } from '../local-workspace/service-path.ts';
import { type LocalWorkspaceSettings, readSettings } from '../local-workspace/settings.ts';
import { createLogger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { accessCommand } from './local-workspace-access.ts';
import { localWorkspaceAuditCommand } from './local-workspace-audit.ts';
import { countCommand, recordsCommand, tailCommand } from './local-workspace-data.ts';
import { exportCommand } from './local-workspace-export.ts';
import { keyCommand } from './local-workspace-key.ts';
import { lockCommand } from './local-workspace-lock.ts';
import { subcommand, toWorkspace, untilSignalled, wholeNumber } from './local-workspace-options.ts';
import { purgeCommand, tableCommand } from './local-workspace-purge.ts';
import { kqlCommand } from './local-workspace-query.ts';
import { replicaCommand } from './local-workspace-replica.ts';
import { retentionCommand } from './local-workspace-retention.ts';
import { processingCommand, workspaceStatusCommand } from './local-workspace-status.ts';
import { ruleCommand, rulesIn } from './local-workspace-tables.ts';
import { createOutput, type Output, printValue } from './output.ts';

/** `relay local-workspace`: our stand-in for the cloud service, and a look into what it keeps. */
export function localWorkspaceCommand(): Command {
  return new Command('local-workspace')
    .description('our stand-in for the cloud service: for trying out, for tests, for sites with no cloud at all')
    .addCommand(startCommand())
    .addCommand(faultCommand())
    .addCommand(ruleCommand())
    .addCommand(workspaceStatusCommand())
    .addCommand(processingCommand())
    .addCommand(countCommand())
    .addCommand(recordsCommand())
    .addCommand(tailCommand())
    .addCommand(kqlCommand())
    .addCommand(retentionCommand())
    .addCommand(purgeCommand())
    .addCommand(tableCommand())
    .addCommand(lockCommand())
    .addCommand(keyCommand())
    .addCommand(exportCommand(askControl))
    .addCommand(replicaCommand(askControl))
    .addCommand(accessCommand())
    .addCommand(localWorkspaceAuditCommand());
}

interface StartOptions {
  readonly data: string;
  readonly address: string;
  readonly port: number;
  readonly name: string[];
  readonly workspace: WorkspaceId[];
  readonly sink: boolean;
  readonly rules?: string;
  readonly settings?: string;
  readonly json: boolean;
}

function startCommand(): Command {
  return subcommand('start', 'run it until Ctrl-C')
    .option('--address <address>', 'where to listen', '127.0.0.1')
    .option('--port <port>', 'where to listen; 0 chooses a free port', wholeNumber(0, 65_535), 9443)
    .option('--name <dns...>', 'DNS names and addresses for the server certificate', ['localhost', '127.0.0.1'])
    .requiredOption('--workspace <guid...>', 'the workspaces to stand in for; a key file is made for each new one', collectWorkspaces)
    .option('--sink', 'count data in memory instead of keeping it, for measuring', false)
    .option('--rules <file>', 'JSON: the apps that may sign in for Logs Ingestion, and the data collection rules')
    .option(
      '--settings <file>',
      'YAML: by which key each workspace is sealed, how long rows stay, where they are exported to, where a second copy is kept, whom incidents are told to',
    )
    .action(start);
}

function collectWorkspaces(text: string, before: readonly WorkspaceId[] | undefined): WorkspaceId[] {
  return [...(before ?? []), toWorkspace(text)];
}

async function start(options: StartOptions): Promise<void> {
  const { data: dataFolder, address, port, name: names, sink } = options;
  const log = createLogger('warn', process.stderr);
  const keyFiles: Record<string, string> = {};
  const workspaces: { id: WorkspaceId; key: string }[] = [];
  for (const id of new Set(options.workspace)) {
    const { path, key } = await ensureWorkspaceKey(dataFolder, id, (message) => log.warn(message));
    keyFiles[id] = path;
    workspaces.push({ id, key });
  }
  const ingestion = options.rules === undefined ? undefined : await rulesIn(options.rules);
  const settings = options.settings === undefined ? undefined : await settingsIn(options.settings);
  const signal = untilSignalled();
  const local = createLocalWorkspace({ dataFolder, address, port, names, workspaces, sink, ingestion, settings }, { clock: systemClock, log });
  announce(createOutput(options.json), await local.start(), keyFiles);
  if (!signal.aborted) await once(signal, 'abort');
  await local.stop();
}

async function settingsIn(path: string): Promise<LocalWorkspaceSettings> {
  try {
    return readSettings(parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    throw new RelayError('relay.local-workspace.bad-settings', `The settings ${path} cannot be read: ${messageOf(cause)}. Correct the file, and start again.`, {
      cause,
    });
  }
}

function announce(output: Output, { url, port, rootPath }: Listening, keyFiles: Record<string, string>): void {
  const text = `Listening on ${url}, root certificate ${rootPath}, workspace keys ${Object.values(keyFiles).join(' ')}`;
  printValue(output, { url, port, root: rootPath, keyFiles }, text);
}

interface FaultOptions {
  readonly data: string;
  readonly workspace?: WorkspaceId;
  readonly delayMs?: number;
  readonly retryAfterS?: number;
  readonly status?: number;
  readonly marker?: string;
  readonly path?: string;
  readonly times?: number;
  readonly json: boolean;
}

function faultCommand(): Command {
  return subcommand('fault', 'make the running one fail; "none" ends it')
    .argument('<mode>', FAULT_MODES.join(', '))
    .option('--workspace <guid>', 'only requests of this workspace', toWorkspace)
    .addOption(new Option('--path <which>', 'only requests of this service').choices(SERVICES))
    .option('--times <count>', 'only so many requests', wholeNumber(1, 1_000_000))
    .option('--delay-ms <ms>', 'slow: how much later each answer comes', wholeNumber(0, 600_000))
    .option('--retry-after-s <s>', 'too-many-requests: what Retry-After says', wholeNumber(0, 86_400))
    .option('--status <code>', 'status: the answer', wholeNumber(200, 599))
    .option('--marker <text>', 'poison: the text for which a body is refused')
    .action(async (mode: string, { data, json, ...details }: FaultOptions) => {
      const fault = await askControl(data, { method: 'POST', path: '/fault', body: { mode, ...details } });
      printValue(createOutput(json), fault, `Now: ${JSON.stringify(fault)}`);
    });
}
