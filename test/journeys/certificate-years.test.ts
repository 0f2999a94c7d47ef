/**
 * Four hundred days, a day at a time: relay, agent and workspace live by clocks that are turned by hand. They begin 400 days ago and end now,
 * because OpenSSL looks at the machine's own clock: server certificates here live long enough to be good today as well.
 */
import assert from 'node:assert/strict';
import { randomFillSync, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createAgent } from '../../src/agent/agent.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { openAuthority } from '../../src/authority/authority.ts';
import { loadConfiguration } from '../../src/configuration/load.ts';
import type { AuthorityFacts, CreatedKey } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { createLocalWorkspace } from '../../src/local-workspace/local-workspace.ts';
import { createLogger, silentLogger } from '../../src/logger.ts';
import { createRelay } from '../../src/relay.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { BANK } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DAY_MS = 86_400_000;
const DAYS = 400;
/** The agent reports itself every 20 minutes: this wait is planned anew once a round is over. */
const ROUND_MS = 20 * 60_000;
const NAMES = ['127.0.0.1', 'localhost'];
const KEY = Buffer.alloc(64, 'a shared key').toString('base64');

describe('an agent that lives 400 days', () => {
  it('renews its certificate by itself, follows the relay from one root to the next, and loses nothing', { timeout: 170_000 }, async () => {
    // Arrange
    await using parts = new AsyncDisposableStack();
    const { path: folder } = parts.use(await temporaryFolder());
    const start = Date.now() - DAYS * DAY_MS;
    const clock = createManualClock(start);
    const agentClock = createManualClock(start);
    const redis = await startRedisServer(join(folder, 'redis'));
    parts.defer(() => redis.stop('SIGKILL'));

    const upstream = join(folder, 'upstream');
    await (await openAuthority(join(upstream, 'authority'), clock.now)).serverIdentity(NAMES, 825);
    const local = createLocalWorkspace(
      { dataFolder: upstream, address: '127.0.0.1', port: 0, names: NAMES, workspaces: [{ id: BANK, key: KEY }] },
      { clock, log: silentLogger },
    );
    const listening = await local.start();
    parts.defer(() => local.stop());
    const sharedKeyFile = join(folder, 'shared.key');
    await writeFile(sharedKeyFile, KEY, { mode: 0o600 });

    const file = join(folder, 'relay.json');
    const data = join(folder, 'data');
    await writeFile(
      file,
      JSON.stringify({
        data,
        domain: 'relay.test',
        managementGroup: { approve: 'all' },
        intake: { address: '127.0.0.1', port: 0 },
        metrics: { port: 0 },
        tunnel: { enabled: false },
        cache: { redis: { socket: redis.socket } },
        authority: { serverCertificateLife: '500d', rootOverlap: '30d' },
        workspaces: [{ id: BANK, endpoint: listening.url, sharedKeyFile, trustFile: listening.rootPath }],
      }),
      { mode: 0o600 },
    );
    const said: string[] = [];
    const log = createLogger('warn', { write: (line: string) => void said.push(line) });
    const relay = createRelay(await loadConfiguration({ file, env: {} }), {
      clock,
      random: randomFillSync,
      log,
      version: 'test',
      credentialsFolder: undefined,
    });
    await relay.start();
    parts.defer(() => relay.stop(5_000));
    const socket = join(data, 'relay.sock');
    const authority = (): Promise<AuthorityFacts> => ask<AuthorityFacts>(socket, 'GET', '/authority');
    const firstRoot = await readFile(join(data, 'authority', 'root.pem'), 'utf8');

    const { secret } = await ask<CreatedKey>(socket, 'POST', '/enrolment-keys', { workspaceId: BANK, name: 'years' });
    const agentFolder = join(folder, 'agent');
    const address = `https://127.0.0.1:${relay.status().intakePort}`;
    const enrolled = await enrolAgent({ folder: agentFolder, relay: address, workspaceId: BANK, key: secret, trust: { root: firstRoot }, clock: agentClock });
    assert.equal(enrolled.outcome, 'enrolled');
    const agent = createAgent({
      folder: agentFolder,
      log,
      clock: agentClock,
      collect: { heartbeatMs: 60_000, performanceMs: 0, systemLogMs: 0 },
      rememberAcknowledged: true,
    });
    await agent.start();
    parts.defer(() => agent.stop());

    const ofAgent = async (name: string): Promise<string> => await readFile(join(agentFolder, name), 'utf8');
    const delivered = (): number => agent.stats().acknowledgedIds.size;
    const resting = (): boolean => agentClock.waits().includes(ROUND_MS);
    const identities = new Set<string>();
    const upstreamIdentities = new Set<string>();
    const trusted = new Set<string>();
    let finalRoot = '';

    // Act: a day at a time, each only when the agent's round of the day before is over.
    await eventually('the first round', resting);
    for (let day = 1; day <= DAYS; day += 1) {
      if (day === 100)
        finalRoot = (await ask<AuthorityFacts>(socket, 'POST', '/authority/rotate')).roots.find(({ role }) => role === 'next')?.certificate ?? '';
      const before = delivered();
      clock.advance(DAY_MS);
      agentClock.advance(DAY_MS);
      await eventually(`the round of day ${day}: ${said.slice(-3).join(' ')}`, resting, 30_000);
      await eventually(`the heartbeat of day ${day}: ${said.slice(-3).join(' ')}`, () => delivered() > before, 30_000);

      const certificate = await ofAgent('agent.pem');
      identities.add(certificate);
      trusted.add(await ofAgent('root.pem'));
      upstreamIdentities.add(await readFile(join(data, 'upstream', BANK, 'identity.pem'), 'utf8').catch(() => ''));
      const { validToDate } = new X509Certificate(certificate);
      assert.ok(validToDate.getTime() > clock.now(), `the agent's certificate has ended on day ${day}`);
      if (day === 129) assert.deepEqual((await authority()).unaware, [], 'the agent knows the next root before it signs');
    }

    // Assert
    assert.ok(identities.size >= 7, `${identities.size} certificates in ${DAYS} days`);
    assert.ok(upstreamIdentities.size >= 6, `${upstreamIdentities.size} certificates of the relay upstream`);
    const last = new X509Certificate(await ofAgent('agent.pem'));
    assert.ok(last.verify(new X509Certificate(finalRoot).publicKey), "the agent's certificate comes from the next root");
    assert.deepEqual([...trusted], [firstRoot, firstRoot + finalRoot, finalRoot + firstRoot, finalRoot]);
    assert.deepEqual(
      (await authority()).roots.map(({ role, certificate }) => [role, certificate]),
      [['current', finalRoot]],
    );
    const { acknowledgedIds, dropped, refused } = agent.stats();
    await eventually('everything acknowledged is in the workspace', () => {
      const there = new Set(local.batchIds(BANK));
      return [...acknowledgedIds].every((id) => there.has(id));
    });
    assert.ok(acknowledgedIds.size >= DAYS);
    assert.deepEqual([dropped, refused], [{}, {}]);
  });
});
