import { randomFillSync } from 'node:crypto';
import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import type { Environment } from '../configuration/environment.ts';
import { loadConfiguration } from '../configuration/load.ts';
import type { Status } from '../control/api.ts';
import { messageOf } from '../errors.ts';
import { systemPrograms } from '../host/run-program.ts';
import { openServiceManager } from '../host/service-manager.ts';
import { createProgramLog } from '../logger.ts';
import { createRelay } from '../relay.ts';
import { EXIT } from './output.ts';
import { packageVersion } from './version.ts';

/** Shorter than systemd's TimeoutStopSec of 90 s. */
const STOP_DEADLINE_MS = 20_000;

/** `relay start`: runs the relay until SIGTERM or SIGINT; a second signal stops it at once. */
export function startCommand(env: Environment): Command {
  return new Command('start')
    .description('run the relay until it is told to stop')
    .option('--config <file>', 'the configuration file')
    .action((flags: { config?: string }) => start(flags.config, env));
}

async function start(file: string | undefined, env: Environment): Promise<void> {
  const configuration = await loadConfiguration({ file, env });
  const record = createProgramLog({ level: configuration.log.level, clock: systemClock });
  const { log } = record;
  // The process ends by itself, or at once.
  for (const event of ['beforeExit', 'exit']) process.once(event, record.flush);
  const { CREDENTIALS_DIRECTORY: credentialsFolder } = env;
  const relay = createRelay(configuration, {
    clock: systemClock,
    random: randomFillSync,
    log,
    record,
    version: packageVersion,
    credentialsFolder,
    // All that was acknowledged is on disk; the service manager starts the next process.
    onStuck(error) {
      log.fatal({ code: error.code }, error.message);
      process.exit(EXIT.failed);
    },
  });
  const serviceManager = openServiceManager(env, { programs: systemPrograms, clock: systemClock });
  let started = false;
  const stopped = untilStopped((first) => {
    if (!first) process.exit(EXIT.failed);
    // Half a start has no order in which to stop, and holds nothing that a kill would lose.
    if (!started) process.exit(EXIT.ok);
    void serviceManager.stopping();
    return relay.stop(STOP_DEADLINE_MS);
  });
  // What nobody awaited is a fault of ours, but the relay holds data that it acknowledged: it says so and goes on.
  process.on('unhandledRejection', (reason) => log.error({ reason: messageOf(reason) }, 'a promise was rejected and nobody listened'));
  await relay.start();
  started = true;
  await serviceManager.ready(() => statusLine(relay.status()));
  await stopped;
}

/** What `systemctl status` shows. */
function statusLine({ agents, cache }: Status): string {
  const waiting = cache.workspaces.reduce((sum, { groupsWaiting }) => sum + groupsWaiting, 0);
  return `${cache.ready.ok ? 'takes batches' : `takes no batches: ${cache.ready.reasons.join(', ')}`}; ${agents.approved} agents, ${waiting} groups wait`;
}

function untilStopped(stop: (first: boolean) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let first = true;
    const onSignal = (): void => {
      stop(first).then(resolve, reject);
      first = false;
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
