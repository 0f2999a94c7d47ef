import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createAgent, DEFAULT_QUEUE_BYTES } from '../agent/agent.ts';
import { type EnrolOutcome, enrolAgent } from '../agent/enrol.ts';
import { type AgentStatus, readAgentStatus } from '../agent/status.ts';
import type { Trust } from '../agent/trust.ts';
import { systemClock } from '../clock.ts';
import { readSecretFile } from '../files.ts';
import { createProgramLog, type LogLevel } from '../logger.ts';
import { tableOf } from '../table.ts';
import { formatSize, readSize } from '../units.ts';
import { parseWorkspaceId } from '../workspace/workspace-id.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';

/** Less holds hardly one upload. */
const LEAST_QUEUE_BYTES = 1024 * 1024;
const KEEP_ALIVE_MS = 60_000;

/** `relay agent`: the program on a machine that sends its own heartbeat, performance counters and system log to a relay. */
export function agentCommand(): Command {
  return new Command('agent')
    .description("send this machine's heartbeat, performance counters and system log to a relay")
    .addCommand(enrolCommand())
    .addCommand(runCommand())
    .addCommand(statusCommand());
}

interface EnrolFlags {
  readonly relay: readonly string[];
  readonly workspace: string;
  readonly keyFile: string;
  readonly trust?: string;
  readonly trustFingerprint?: string;
  readonly data: string;
  readonly name?: string;
  readonly json?: boolean;
}

function enrolCommand(): Command {
  return new Command('enrol')
    .description('make this machine an agent of a relay; enrolling again keeps its identity')
    .requiredOption('--relay <address>', 'the relay, such as https://relay.example.org:8443; again for each further one of its group', collect)
    .requiredOption('--workspace <guid>', 'the workspace its data is for')
    .requiredOption('--key-file <file>', 'a file that holds the enrolment key')
    .addOption(new Option('--trust <file>', "the relay's root certificate (root.pem)").conflicts('trustFingerprint'))
    .option('--trust-fingerprint <sha256>', "the SHA-256 of the relay's root certificate, as the relay prints it")
    .requiredOption('--data <folder>', 'where the agent keeps its identity and its queue')
    .option('--name <name>', 'how the relay will list this machine (default: its host name)')
    .option('--json', 'print JSON')
    .action(enrol);
}

async function enrol(flags: EnrolFlags): Promise<void> {
  const [relay = '', ...otherRelays] = flags.relay;
  const outcome = await enrolAgent({
    folder: flags.data,
    relay,
    otherRelays,
    workspaceId: parseWorkspaceId(flags.workspace),
    key: await readSecretFile(flags.keyFile, (message) => process.stderr.write(`${message}\n`)),
    trust: await readTrust(flags),
    hostName: flags.name,
    clock: systemClock,
  });
  report(createOutput(flags.json ?? false), outcome, flags.data);
}

function report(output: Output, outcome: EnrolOutcome, folder: string): void {
  if (outcome.outcome === 'refused') {
    throw new CommandFailure(EXIT.failed, `The relay refused to enrol this machine (${outcome.status} ${outcome.reason}). ${outcome.message}`);
  }
  const { agentId, hostName, relay, workspaceId } = outcome.settings;
  const text = `Enrolled ${hostName} as agent ${agentId} of workspace ${workspaceId} at ${relay}.\nUnless a rule of the relay approves it, an operator has to. Start it with: relay agent run --data ${folder}`;
  printValue(output, outcome.settings, text);
}

function collect(address: string, before: readonly string[] = []): readonly string[] {
  return [...before, address];
}

async function readTrust({ trust, trustFingerprint }: EnrolFlags): Promise<Trust> {
  if (trustFingerprint !== undefined) return { fingerprint: trustFingerprint };
  if (trust === undefined) throw new CommandFailure(EXIT.usage, 'Say whom to trust: --trust <root.pem> or --trust-fingerprint <sha256 of the root>.');
  try {
    return { root: await readFile(trust, 'utf8') };
  } catch (cause) {
    throw new CommandFailure(EXIT.usage, `The trust file ${trust} cannot be read. Copy root.pem from the relay.`, { cause });
  }
}

interface RunFlags {
  readonly data: string;
  /** Bytes. */
  readonly queueLimit: number;
  readonly logLevel: LogLevel;
}

function runCommand(): Command {
  return new Command('run')
    .description('collect and send until SIGTERM or SIGINT')
    .requiredOption('--data <folder>', "the enrolled agent's folder")
    .addOption(
      new Option('--queue-limit <size>', 'disk that waiting batches may take, such as 512MiB')
        .argParser(toQueueLimit)
        .default(DEFAULT_QUEUE_BYTES, formatSize(DEFAULT_QUEUE_BYTES)),
    )
    .addOption(new Option('--log-level <level>', 'what is logged').choices(['silent', 'error', 'warn', 'info', 'debug']).default('info'))
    .action(run);
}

async function run(flags: RunFlags): Promise<void> {
  const { log, flush } = createProgramLog({ level: flags.logLevel, clock: systemClock });
  // The process ends by itself, or at once.
  for (const event of ['beforeExit', 'exit']) process.once(event, flush);
  const agent = createAgent({ folder: flags.data, log, clock: systemClock, queueLimitBytes: flags.queueLimit });
  await agent.start();
  await untilSignal();
  await agent.stop();
}

// The clock's timers do not keep a process alive; this one does.
async function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
  process.once('SIGTERM', resolve).once('SIGINT', resolve);
  await promise;
  clearInterval(keepAlive);
}

function statusCommand(): Command {
  return new Command('status')
    .description('show who this agent is and what waits in its queue')
    .requiredOption('--data <folder>', "the enrolled agent's folder")
    .option('--json', 'print JSON')
    .action(async (flags: { data: string; json?: boolean }) => {
      const status = await readAgentStatus(flags.data);
      printValue(createOutput(flags.json ?? false), status, textOf(status));
    });
}

function textOf(status: AgentStatus): string {
  const facts = [
    `agent        ${status.agentId} (${status.hostName})`,
    `workspace    ${status.workspaceId}`,
    `relay        ${status.relay}`,
    ...(status.otherRelays.length > 0 ? [`others       ${status.otherRelays.join(', ')}`] : []),
    `certificate  until ${status.certificateExpires}`,
    `direct       ${directText(status)}`,
    `refused      ${status.refused}`,
    `unreadable   ${status.unreadable}`,
  ];
  return [...facts, '', status.waiting.length === 0 ? 'Nothing waits.' : waitingTable(status)].join('\n');
}

function directText({ direct }: AgentStatus): string {
  if (!direct) return 'none: everything goes through the relay, or waits for a way';
  return direct.proxy === undefined ? direct.endpoint : `${direct.endpoint} through ${direct.proxy}`;
}

function waitingTable({ waiting }: AgentStatus): string {
  return tableOf(waiting, [
    ['WAITING', (row) => row.dataType],
    ['KIND', (row) => row.kind],
    ['ROUTE', (row) => row.route],
    ['BATCHES', (row) => row.batches],
    ['BYTES', (row) => row.bytes],
    ['OLDEST', (row) => row.oldest],
  ]);
}

function toQueueLimit(text: string): number {
  const bytes = readSize(text);
  if (bytes !== undefined && bytes >= LEAST_QUEUE_BYTES) return bytes;
  throw new InvalidArgumentError(`A size such as 512MiB, at least ${formatSize(LEAST_QUEUE_BYTES)}, found "${text}".`);
}
