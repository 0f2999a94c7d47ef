/** The group side of relays in this process: each with its own listener, authority and agents, without the rest of a relay. */
import { join } from 'node:path';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { type Authority, openAuthority } from '../../src/authority/authority.ts';
import { systemClock } from '../../src/clock.ts';
import { agentServicePlugin } from '../../src/enrolment/agent-service.ts';
import { createAttempts } from '../../src/enrolment/attempts.ts';
import { enrolmentOptions } from '../../src/enrolment/options.ts';
import { forwardedOr } from '../../src/group/forwarding.ts';
import { type GroupState, openGroupState } from '../../src/group/group-file.ts';
import { openMemberIdentity } from '../../src/group/member-identity.ts';
import { createRelayGroup, type RelayGroup } from '../../src/group/relay-group.ts';
import { peerCertificate } from '../../src/intake/client-certificate.ts';
import { intakeOptions } from '../../src/intake/options.ts';
import { createIntakeServer } from '../../src/intake/server.ts';
import { silentLogger } from '../../src/logger.ts';
import { type ManagementGroup, openManagementGroup } from '../../src/management-group/management-group.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { plainSecrets } from '../../src/own-secrets.ts';
import type { Routing } from '../../src/routing/routing.ts';
import { BANK, newKeyRing } from '../management-group/rig.ts';
import { openTestRouting } from '../routing/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export interface GroupSide extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly folder: string;
  readonly group: RelayGroup;
  readonly state: GroupState;
  readonly managementGroup: ManagementGroup;
  readonly authority: Authority;
  readonly routing: Routing;
  readonly entries: AuditEvent[];
  /** What became of requests that were handed on. */
  readonly forwarded: string[];
  /** Stops listening and asking, as a relay that is killed does; what is on disk stays. */
  stop(): Promise<void>;
}

/** A relay that listens on loopback, in no group. Its clock is `aheadMs` ahead. */
export async function startSide(name: string, aheadMs = 0): Promise<GroupSide> {
  const folder = await temporaryFolder();
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const managementGroup = openManagementGroup(join(folder.path, 'group.sqlite'), { keys: newKeyRing(), clock, log: silentLogger });
  const authority = await openAuthority(join(folder.path, 'authority'), clock.now);
  const routing = await openTestRouting(folder.path);
  const state = await openGroupState(join(folder.path, 'group'));
  const metrics = createMetrics();
  const options = { ...intakeOptions.parse({}), address: '127.0.0.1', port: 0 };
  const enrolment = enrolmentOptions.parse({});
  const authentication = { registry: managementGroup.registry, now: clock.now, oldCertificateGraceMs: enrolment.oldCertificateGrace };
  const intake = createIntakeServer({ options, identity: await authority.serverIdentity(['localhost'], 90), authentication, metrics, log: silentLogger });
  const entries: AuditEvent[] = [];
  const forwarded: string[] = [];
  const audit = (event: AuditEvent): void => void entries.push(event);
  const attempts = createAttempts({ now: clock.now, perMinute: enrolment.attemptsPerMinute, badPerMinute: 3 });
  const peerOf = forwardedOr(peerCertificate);
  await intake.hapi.register({
    plugin: agentServicePlugin,
    options: {
      group: managementGroup,
      approve: 'all',
      serves: () => true,
      options: enrolment,
      peerCertificate: peerOf,
      ownHost: 'relay.test',
      clock,
      attempts,
      audit,
      metrics,
      log: silentLogger,
    },
  });
  const group = createRelayGroup({
    state,
    identity: await openMemberIdentity(join(folder.path, 'group'), plainSecrets),
    authority,
    group: { ...managementGroup, agents: managementGroup.registry.all },
    routing,
    workspaces: [BANK],
    keepAside: (term) => join(folder.path, `aside-${term}.sqlite`),
    onEnded: intake.endIdle,
    attempts,
    peerCertificate: peerOf,
    onForwarded: (outcome) => void forwarded.push(outcome),
    audit,
    clock,
    log: silentLogger,
  });
  await group.register(intake.hapi);
  const stopWatching = group.watchIdentity(intake.addIdentity);
  const port = await intake.start();
  await group.start();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopWatching();
    await Promise.all([group.stop(), intake.stop(0)]);
  };
  return {
    name,
    address: `https://127.0.0.1:${port}`,
    port,
    folder: folder.path,
    group,
    state,
    managementGroup,
    authority,
    routing,
    entries,
    forwarded,
    stop() {
      stopped ??= stop();
      return stopped;
    },
    async [Symbol.asyncDispose]() {
      stopped ??= stop();
      await stopped;
      managementGroup.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Has the second join the group of the first, which begins one. */
export async function joinTogether(one: GroupSide, two: GroupSide): Promise<void> {
  if (!one.state.current()) await one.group.steering.init(one.name, one.address);
  const { token } = await one.group.steering.createToken();
  await two.group.steering.join(token, { name: two.name, address: two.address });
}
