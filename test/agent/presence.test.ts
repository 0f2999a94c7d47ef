import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { type Enrolment, readEnrolment, readSettings } from '../../src/agent/agent-folder.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { readHost } from '../../src/agent/host.ts';
import { createPresence, type Presence } from '../../src/agent/presence.ts';
import { createRelayLink, type RelayLink } from '../../src/agent/relay-link.ts';
import { createTrustedRoots } from '../../src/agent/roots.ts';
import { fingerprintOf, fromPem } from '../../src/authority/x509.ts';
import { EST_RENEW_PATH, EST_ROOTS_PATH } from '../../src/check-in/est-paths.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { RENEW_PATH, TOPOLOGY_PATH } from '../../src/oms-protocol/paths.ts';
import { readTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { type FakeRelay, KEY, type Seen, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

interface Stage extends AsyncDisposable {
  readonly relay: FakeRelay;
  readonly folder: string;
  readonly enrolled: Enrolment;
  readonly link: RelayLink;
  readonly clock: ManualClock;
  readonly presence: Presence;
}

async function setStage(): Promise<Stage> {
  const folder = await makeTestFolder();
  const relay = await startFakeRelay();
  await enrolAgent({ folder: folder.path, relay: relay.address, workspaceId: WORKSPACE, key: KEY, trust: { root: relay.root }, clock: systemClock });
  relay.seen.length = 0;
  const enrolled = await readEnrolment(folder.path);
  const { settings, identity, root } = enrolled;
  const clock = createManualClock();
  const link = createRelayLink({ relays: [settings.relay], root, identity, chance: () => 0, clock, log: silentLogger });
  const roots = createTrustedRoots({ folder: folder.path, link, log: silentLogger });
  const presence = createPresence({ folder: folder.path, settings, link, roots, host: await readHost('web01'), clock, log: silentLogger });
  return {
    relay,
    folder: folder.path,
    enrolled,
    link,
    clock,
    presence,
    async [Symbol.asyncDispose]() {
      await Promise.all([presence.stop(), link.close()]);
      await relay[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const fingerprintIn = (enrolment: Enrolment): string => fingerprintOf(fromPem(enrolment.identity.certificate));
const isTopology = ({ path }: Seen): boolean => path === TOPOLOGY_PATH;

/** Lets presence begin and come to rest until its next request. */
async function firstRound(stage: Stage): Promise<void> {
  stage.presence.start();
  await eventually('the first round', () => stage.clock.waits().length === 1);
}

describe('presence', () => {
  it('sends a topology request at start and at the interval the relay names', async () => {
    await using stage = await setStage();
    await firstRound(stage);
    assert.deepEqual(stage.clock.waits(), [120_000]);
    stage.clock.advance(120_000);
    await eventually('the second request', () => stage.relay.seen.filter(isTopology).length === 2);
    const [first] = stage.relay.seen;
    assert.equal(first?.headers.authorization, undefined);
    assert.deepEqual(readTopologyRequest(first?.body ?? Buffer.alloc(0))?.agentId, stage.enrolled.settings.agentId);
  });

  it('tries again after a minute when the relay refuses', async () => {
    await using stage = await setStage();
    stage.relay.answer = () => ({ status: 403 });
    await firstRound(stage);
    assert.deepEqual(stage.clock.waits(), [60_000]);
  });

  it('remembers a new interval', async () => {
    await using stage = await setStage();
    stage.relay.answer = () => ({
      status: 200,
      body: `<LinuxAgentTopologyResponse queryInterval="PT1S"><CertificateUpdateEndpoint updateCertificate="false">https://x/RenewCertificate</CertificateUpdateEndpoint><DscConfiguration><Endpoint>x</Endpoint></DscConfiguration>`,
    });
    await firstRound(stage);
    assert.equal((await readSettings(stage.folder))?.topologyIntervalS, 60);
    assert.equal((await readSettings(stage.folder))?.renewalAddress, 'https://x/RenewCertificate');
  });

  it('renews the certificate when asked: the old one announces, the new one proves itself and is used from then on', async () => {
    await using stage = await setStage();
    stage.relay.renew = true;
    await firstRound(stage);
    const renewed = await readEnrolment(stage.folder);
    const [before, after] = [fingerprintIn(stage.enrolled), fingerprintIn(renewed)];
    assert.notEqual(after, before);
    assert.notEqual(renewed.identity.privateKey, stage.enrolled.identity.privateKey);
    assert.deepEqual(
      stage.relay.seen.map(({ path, fingerprint }) => [path, fingerprint]),
      [
        [TOPOLOGY_PATH, before],
        [EST_ROOTS_PATH, before],
        [EST_RENEW_PATH, before],
        [RENEW_PATH, before],
        [TOPOLOGY_PATH, after],
      ],
    );
    assert.deepEqual(stage.link.identity, renewed.identity);
    stage.relay.renew = false;
    stage.clock.advance(120_000);
    await eventually('the next request', () => stage.relay.seen.filter(isTopology).length === 3);
    assert.equal(stage.relay.seen.at(-1)?.fingerprint, after);
    assert.deepEqual((await readdir(stage.folder)).sort(), ['agent.json', 'agent.key', 'agent.pem', 'root.pem']);
  });

  it('keeps the old certificate when the relay refuses the new one', async () => {
    await using stage = await setStage();
    stage.relay.renew = true;
    stage.relay.answer = ({ path }) => (path === RENEW_PATH ? { status: 500 } : undefined);
    await firstRound(stage);
    assert.deepEqual(await readEnrolment(stage.folder), stage.enrolled);
    assert.deepEqual(stage.link.identity, stage.enrolled.identity);
  });

  it('keeps the old certificate when the relay does not know the new one after all', async () => {
    await using stage = await setStage();
    stage.relay.renew = true;
    const old = fingerprintIn(stage.enrolled);
    stage.relay.answer = ({ path, fingerprint }) => (path === TOPOLOGY_PATH && fingerprint !== old ? { status: 403 } : undefined);
    await firstRound(stage);
    assert.deepEqual(await readEnrolment(stage.folder), stage.enrolled);
    stage.relay.renew = false;
    stage.clock.advance(120_000);
    await eventually('the next request', () => stage.relay.seen.filter(isTopology).length === 3);
    assert.equal(stage.relay.seen.at(-1)?.fingerprint, old);
  });
});
