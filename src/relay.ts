/** The composition root: makes every side of the relay (`composition/`), hands each what it needs, starts them from the inside out and stops them from the outside in. */
import { type Closing, openBuilding, type RelayParts } from './composition/building.ts';
import { createEnrolling } from './composition/enrolling.ts';
import { createGateway } from './composition/gateway.ts';
import { openGrouping } from './composition/grouping.ts';
import { openKeeping } from './composition/keeping.ts';
import { startOperating } from './composition/operating.ts';
import { openReceiving } from './composition/receiving.ts';
import { openReporting } from './composition/reporting.ts';
import { openSending } from './composition/sending.ts';
import { openTrust } from './composition/trust.ts';
import type { Configuration } from './configuration/schema.ts';
import type { Status } from './control/api.ts';
import { messageOf, RelayError } from './errors.ts';
import { makePrivateFolder } from './files.ts';
import { startMetricsServer } from './metrics/server.ts';

const STOP_AFTER_FAILED_START_MS = 1_000;

export interface Relay {
  /** Starts everything, or nothing: what was started is stopped again when a part cannot be. */
  start(): Promise<void>;
  /** Stops taking, lets what is in hand finish for `deadlineMs`, closes. Safe to call twice, and without `start`. */
  stop(deadlineMs: number): Promise<void>;
  status(): Status;
}

export function createRelay(configuration: Configuration, parts: RelayParts): Relay {
  const log = parts.log.child({ component: 'relay' });
  /** What must be undone, the last first. */
  const closings: Closing[] = [];
  let currentStatus: (() => Status) | undefined;
  let stopping: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    await makePrivateFolder(configuration.data);
    const opened = await openBuilding(configuration, parts, (close) => void closings.push(close));
    const reporting = openReporting(opened, await openTrust(opened));
    const { building, trust, incidents } = reporting;
    const { metrics, served, component, defer } = building;

    // Made before the cache, so closed after it: what is on its way upstream at the stop is answered, and the next start does not send it again.
    const sending = await openSending(building, trust);
    const keeping = await openKeeping(building, trust, reporting);
    sending.onPart(keeping.cache.spent);
    keeping.cache.consume(sending.deliver);

    const identity = trust.server.current();
    const metricsServer = await startMetricsServer(configuration.metrics, { metrics, ready: keeping.ready, identity, log: component('metrics') });
    defer(() => metricsServer.stop());
    const { port: metricsPort } = metricsServer;

    let tunnelPort: number | undefined;
    const enrolling = createEnrolling(building, trust);
    const receiving = await openReceiving(building, { trust, keeping, enrolling, tunnelPort: () => tunnelPort });
    const grouping = await openGrouping(building, { trust, enrolling, receiving });
    const gateway = await createGateway(building, trust);
    const stopWatching = trust.server.watch((identity) => {
      receiving.useIdentity(identity);
      gateway.useIdentity(identity);
      metricsServer.useIdentity(identity);
    });
    defer(stopWatching);

    const { status } = await startOperating(building, { trust, incidents, sending, keeping, enrolling, receiving, grouping, gateway, metricsPort });
    tunnelPort = await gateway.start();
    await grouping.start();
    // Intake last: from here on batches come.
    const intakePort = await receiving.start();
    currentStatus = status;
    sending.announce();
    log.info({ intakePort, tunnelPort, metricsPort, rootFingerprint: trust.authority.rootFingerprint, workspaces: served.size }, 'the relay is running');
  };

  // Intake was started last and stops first; running requests finish, then the consumer; Redis and the database go at the very end.
  const stop = async (deadlineMs: number): Promise<void> => {
    for (const close of closings.splice(0).reverse()) {
      try {
        await close(deadlineMs);
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'a part could not be stopped cleanly');
      }
    }
    log.info('the relay has stopped');
  };

  return {
    async start() {
      try {
        await start();
      } catch (cause) {
        await stop(STOP_AFTER_FAILED_START_MS);
        throw cause;
      }
    },
    stop(deadlineMs) {
      stopping ??= stop(deadlineMs);
      return stopping;
    },
    status() {
      if (!currentStatus) throw new RelayError('relay.not-running', 'The relay has not started yet.');
      return currentStatus();
    },
  };
}
