import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readEnrolment, readIdentity } from '../../src/agent/agent-folder.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { createRelayLink, type RelayLink } from '../../src/agent/relay-link.ts';
import { adoptCertificate, certificateNeed } from '../../src/agent/renewal.ts';
import { createTrustedRoots, type TrustedRoots } from '../../src/agent/roots.ts';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { openAuthority } from '../../src/authority/authority.ts';
import { writeCertsOnly } from '../../src/authority/certs-only.ts';
import { readSigningRequest } from '../../src/authority/signing-request.ts';
import { fingerprintOf, fromPem } from '../../src/authority/x509.ts';
import { EST_RENEW_PATH, EST_ROOTS_PATH } from '../../src/check-in/est-paths.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { type FakeRelay, KEY, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { makeTestFolder } from './test-folder.ts';

const DAY_MS = 86_400_000;

interface Stage extends AsyncDisposable {
  readonly relay: FakeRelay;
  readonly folder: string;
  readonly link: RelayLink;
  readonly roots: TrustedRoots;
  /** Another root, which the relay does not use. */
  readonly other: string;
}

async function setStage(): Promise<Stage> {
  const folder = await makeTestFolder();
  const relay = await startFakeRelay();
  await enrolAgent({ folder: folder.path, relay: relay.address, workspaceId: WORKSPACE, key: KEY, trust: { root: relay.root }, clock: systemClock });
  const { settings, identity, root } = await readEnrolment(folder.path);
  const link = createRelayLink({ relays: [settings.relay], root, identity, chance: () => 0, clock: systemClock, log: silentLogger });
  return {
    relay,
    folder: folder.path,
    link,
    roots: createTrustedRoots({ folder: folder.path, link, log: silentLogger }),
    other: (await openAuthority(join(folder.path, 'other'), Date.now)).root,
    async [Symbol.asyncDispose]() {
      await link.close();
      await relay[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const trustedIn = (folder: string): Promise<string> => readFile(join(folder, 'root.pem'), 'utf8');

describe('the roots an agent trusts', () => {
  it('become those that the relay names by EST, on disk and for connections made afterwards', async () => {
    await using stage = await setStage();
    const { relay, link, other } = stage;
    const body = writeCertsOnly([relay.root, other].map(fromPem)).toString('base64');
    relay.answer = ({ path }) => (path === EST_ROOTS_PATH ? { status: 200, body } : undefined);
    await stage.roots.ask();
    assert.equal(await trustedIn(stage.folder), relay.root + other);
    assert.equal(link.root, relay.root + other);
    const asked = relay.seen.length;
    await stage.roots.ask();
    assert.equal(relay.seen.length, asked + 1, 'roots that are trusted already are not tried again');
  });

  const useless: [string, (stage: Stage) => readonly string[]][] = [
    ['none', () => []],
    ['one that the relay cannot be verified by', ({ other }) => [other]],
    ['no certificate', ({ relay }) => [relay.root, 'garbage']],
    ['a certificate that may not sign others', ({ relay, link }) => [relay.root, link.identity.certificate]],
  ];
  for (const [what, pems] of useless) {
    it(`stay as they are when the relay names ${what}`, async () => {
      await using stage = await setStage();
      await stage.roots.accept(pems(stage));
      assert.equal(await trustedIn(stage.folder), stage.relay.root);
      assert.equal(stage.link.root, stage.relay.root);
    });
  }

  it('stay as they are with a relay that does not know EST', async () => {
    await using stage = await setStage();
    await stage.roots.ask();
    assert.equal(await trustedIn(stage.folder), stage.relay.root);
  });
});

describe('a certificate by EST', () => {
  it('takes the place of the self-signed one once the relay has answered to it', async () => {
    await using stage = await setStage();
    const { relay, folder, link } = stage;
    const authority = await openAuthority(join(folder, 'group'), Date.now);
    relay.answer = ({ path, body }) => {
      if (path !== EST_RENEW_PATH) return undefined;
      const request = readSigningRequest(Buffer.from(body.toString(), 'base64'));
      assert.ok(request.readable);
      const { agentId } = settings;
      const { der } = authority.issueAgent({ workspaceId: WORKSPACE, agentId, publicKey: request.publicKey, lifeMs: 90 * DAY_MS });
      relay.known.add(fingerprintOf(der));
      return { status: 200, body: writeCertsOnly([der]).toString('base64') };
    };
    const { settings } = await readEnrolment(folder);
    assert.equal(certificateNeed(link.identity.certificate, Date.now()), 'adopt');
    assert.deepEqual(await adoptCertificate({ folder, settings, link, operatingSystem: 'Debian 12', clock: systemClock }), { outcome: 'renewed' });
    assert.deepEqual(await readIdentity(folder), link.identity);
    assert.equal(certificateNeed(link.identity.certificate, Date.now()), 'none');
    assert.equal(certificateNeed(link.identity.certificate, Date.now() + 61 * DAY_MS), 'renew');
  });

  it('is not taken when it is for another key, and the old one stays', async () => {
    await using stage = await setStage();
    const { relay, folder, link } = stage;
    const { settings, identity } = await readEnrolment(folder);
    const strange = await createAgentIdentity(WORKSPACE, settings.agentId, Date.now(), 90);
    const body = writeCertsOnly([fromPem(strange.certificate)]).toString('base64');
    relay.answer = ({ path }) => (path === EST_RENEW_PATH ? { status: 200, body } : undefined);
    const outcome = await adoptCertificate({ folder, settings, link, operatingSystem: 'Debian 12', clock: systemClock });
    assert.equal(outcome.outcome, 'kept');
    assert.deepEqual(await readIdentity(folder), identity);
  });
});
