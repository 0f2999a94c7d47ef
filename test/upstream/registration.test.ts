import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fromPem, readCertificate } from '../../src/authority/x509.ts';
import type { Batch } from '../../src/batch/batch.ts';
import { createBatchId } from '../../src/batch/batch-id.ts';
import { kindOf } from '../../src/batch/kind.ts';
import type { Verdict } from '../../src/batch/verdict.ts';
import { createLogger } from '../../src/logger.ts';
import { createHttpClient } from '../../src/upstream/http-client.ts';
import { createOperationalDataTransport } from '../../src/upstream/operational-data.ts';
import { createRegistration, type Registration } from '../../src/upstream/registration.ts';
import { createRelayIdentities } from '../../src/upstream/relay-identity.ts';
import type { Transport } from '../../src/upstream/transport.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK, keyOf, PLANT, type Rig, startRig, temporaryFolder } from '../local-workspace/rig.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const DAY_MS = 86_400_000;
const SENDER = parseAgentId(randomUUID());

interface RegistrationRig extends Rig {
  readonly clock: ManualClock;
  readonly folder: string;
  readonly registration: Registration;
  readonly transport: Transport;
  /** Messages of the log. */
  readonly said: string[];
  key: string;
  offer(...batches: Batch[]): Promise<readonly Verdict[]>;
}

/** A relay's way to the workspace BANK of a local workspace that shares its clock. TLS looks at the machine's: a test that moves on begins in the past. */
async function createRegistrationRig(t: TestContext, { daysAgo = 0, lifeDays = 90 } = {}): Promise<RegistrationRig> {
  const clock = createManualClock(Date.now() - daysAgo * DAY_MS);
  const rig = await startRig(t, {}, clock);
  const folder = join(await temporaryFolder(t), 'upstream');
  const said: string[] = [];
  const client = createHttpClient({ connections: 4, connectTimeoutMs: 5_000, requestTimeoutMs: 5_000, trust: rig.listening.rootPem });
  const registration = createRegistration({
    workspaceId: BANK,
    serviceUrl: rig.listening.url,
    userAgent: 'Relay/test',
    sharedKey: async () => parts.key,
    identities: createRelayIdentities(folder, BANK, { lifeMs: lifeDays * DAY_MS, now: clock.now }),
    client,
    clock,
    log: createLogger('info', { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) }),
  });
  const transport = createOperationalDataTransport({ dataUrl: rig.listening.url, version: 'test', client, registration, clock });
  t.after(() => transport.close());
  const parts: RegistrationRig = {
    ...rig,
    clock,
    folder,
    registration,
    transport,
    said,
    key: keyOf(BANK),
    offer: (...batches) => transport.offer(batches, new AbortController().signal),
  };
  return parts;
}

function batch(dataType = 'LINUX_SYSLOGS_BLOB', more: Partial<Batch> = {}): Batch {
  return {
    id: createBatchId(Date.now(), Math.random),
    workspaceId: BANK,
    agentId: SENDER,
    kind: kindOf(dataType, 'LogManagement'),
    dataType,
    solution: 'LogManagement',
    receivedAt: Date.now(),
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: {} },
    body: Buffer.from(JSON.stringify({ DataType: dataType, IPName: 'LogManagement', DataItems: [{ Message: 'hello' }] })),
    ...more,
  };
}

const certificateOn = async (folder: string): Promise<string> => (await readFile(join(folder, 'identity.pem'), 'utf8')).split('-----BEGIN PRIVATE')[0] ?? '';

describe('the registration with a workspace', () => {
  it('comes before the first batch, once, and leaves an identity only its owner may read', async (t) => {
    const rig = await createRegistrationRig(t);
    const verdicts = await Promise.all([rig.offer(batch()), rig.offer(batch()), rig.offer(batch())]);
    assert.deepEqual(
      verdicts.flat(),
      Array.from({ length: 3 }, () => ({ outcome: 'delivered' })),
    );
    assert.deepEqual(rig.said, ['registered with the workspace']);
    assert.equal((await stat(join(rig.folder, 'identity.pem'))).mode & 0o777, 0o600);
  });

  it('with a wrong shared key makes the workspace rest, and succeeds when the key is right', async (t) => {
    const rig = await createRegistrationRig(t);
    rig.key = keyOf(PLANT);
    const [verdict] = await rig.offer(batch());
    assert.ok(verdict?.outcome === 'retry' && verdict.scope === 'workspace');
    assert.match(verdict.reason, /^registration: HTTP 403: .*InvalidWorkspaceKey/);
    rig.key = keyOf(BANK);
    assert.deepEqual(await rig.offer(batch()), [{ outcome: 'delivered' }]);
  });

  it('with a workspace that cannot be reached makes it rest, and says why', async (t) => {
    const rig = await createRegistrationRig(t);
    await rig.local.setFault({ mode: 'down' });
    const [verdict] = await rig.offer(batch());
    assert.ok(verdict?.outcome === 'retry' && verdict.scope === 'workspace');
    assert.match(verdict.reason, /^registration: ECONNREFUSED/);
    await rig.local.setFault({ mode: 'none' });
    assert.deepEqual(await rig.offer(batch()), [{ outcome: 'delivered' }]);
  });

  it('is made again after the workspace has forgotten who we are', async (t) => {
    const rig = await createRegistrationRig(t);
    await rig.offer(batch());
    await rig.local.setFault({ mode: 'forbidden' });
    assert.equal((await rig.offer(batch()))[0]?.outcome, 'retry');
    await rig.local.setFault({ mode: 'none' });
    assert.deepEqual(await rig.offer(batch()), [{ outcome: 'delivered' }]);
    assert.deepEqual(rig.said, ['registered with the workspace', 'registered with the workspace']);
  });

  it('reports itself at the interval it was told, and renews its certificate when asked, under the same GUID', async (t) => {
    const rig = await createRegistrationRig(t, { daysAgo: 61 });
    await rig.offer(batch());
    const before = await certificateOn(rig.folder);
    rig.clock.advance(61 * DAY_MS);
    const after = await eventually('the new certificate', async () => {
      const now = await certificateOn(rig.folder);
      return now !== before && rig.said.includes('our certificate for the workspace was renewed') && now;
    });
    assert.equal(readCertificate(fromPem(after))?.commonNames[1], readCertificate(fromPem(before))?.commonNames[1]);
    assert.deepEqual(await rig.offer(batch()), [{ outcome: 'delivered' }]);
    assert.deepEqual(rig.said.filter((line) => line.startsWith('registered')).length, 1);
  });

  it('renews while batches are on their way, and not one has to go again', async (t) => {
    const rig = await createRegistrationRig(t, { daysAgo: 61 });
    await rig.offer(batch());
    const before = await certificateOn(rig.folder);
    const outcomes: string[] = [];
    let renewed = false;
    const send = async (): Promise<void> => {
      while (!renewed) outcomes.push(...(await rig.offer(batch(), batch())).map(({ outcome }) => outcome));
      outcomes.push(...(await rig.offer(batch())).map(({ outcome }) => outcome));
    };
    const senders = [send(), send(), send()];
    rig.clock.advance(61 * DAY_MS);
    await eventually('the new certificate in use', async () => rig.said.includes('our certificate for the workspace was renewed'));
    renewed = true;
    await Promise.all(senders);
    assert.notEqual(await certificateOn(rig.folder), before);
    assert.deepEqual(new Set(outcomes), new Set(['delivered']));
    assert.ok(outcomes.length >= 3);
  });

  it('gets a new certificate when the old one ended while the workspace was away', async (t) => {
    const rig = await createRegistrationRig(t, { daysAgo: 31, lifeDays: 30 });
    await rig.offer(batch());
    const before = await certificateOn(rig.folder);
    rig.registration.close();
    rig.clock.advance(31 * DAY_MS);
    assert.equal((await rig.offer(batch()))[0]?.outcome, 'retry');
    assert.deepEqual(await rig.offer(batch()), [{ outcome: 'delivered' }]);
    const after = await certificateOn(rig.folder);
    assert.notEqual(after, before);
    assert.equal(readCertificate(fromPem(after))?.commonNames[1], readCertificate(fromPem(before))?.commonNames[1]);
  });

  it('tells what to do about an identity file that is none', async (t) => {
    const rig = await createRegistrationRig(t);
    await rig.offer(batch());
    for (const text of ['', 'no identity', `${await certificateOn(rig.folder)}`]) {
      await writeFile(join(rig.folder, 'identity.pem'), text);
      rig.registration.forget();
      const [verdict] = await rig.offer(batch());
      assert.ok(verdict?.outcome === 'retry');
      assert.match(verdict.reason, /identity\.pem is not the relay's identity for this workspace\. Delete it/);
    }
  });

  it('does not take the answer of something else for a workspace', async (t) => {
    const rig = await createRegistrationRig(t);
    await rig.local.setFault({ mode: 'status', status: 200 });
    const [verdict] = await rig.offer(batch());
    assert.deepEqual(verdict, { outcome: 'retry', scope: 'workspace', reason: 'registration: HTTP 200 without a topology reply' });
  });
});

describe('the transport of the Operational Data protocol', () => {
  it('sends each batch to the service it came for, its bytes and headers as they were', async (t) => {
    const rig = await createRegistrationRig(t);
    const custom = {
      protocol: 'operational-data',
      service: 'operational-data',
      encoding: 'identity',
      headers: { 'log-type': 'Demo', 'time-generated-field': 'when' },
    } as const;
    const diagnostics = { protocol: 'operational-data', service: 'diagnostics', encoding: 'identity', headers: {} } as const;
    const batches = [
      batch(),
      batch('Demo', { origin: custom, body: Buffer.from('[{"when":"2026-11-23T00:00:00Z","text":"a"}]') }),
      batch('DIAGNOSTICS', { origin: diagnostics, body: Buffer.from('{"DataItems":[{"LogData":"x"}],"IPName":"Diagnostics"}') }),
    ];
    assert.deepEqual(
      (await rig.offer(...batches)).map(({ outcome }) => outcome),
      ['delivered', 'delivered', 'delivered'],
    );
    assert.deepEqual(
      rig.local
        .count(BANK)
        .map(({ dataType }) => dataType)
        .sort(),
      ['Demo', 'Diagnostics', 'LINUX_SYSLOGS_BLOB'],
    );
    assert.deepEqual(new Set(rig.local.batchIds(BANK)), new Set(batches.map(({ id }) => id)));
  });

  it('gives each batch its own verdict', async (t) => {
    const rig = await createRegistrationRig(t);
    const verdicts = await rig.offer(batch(), batch('X', { body: Buffer.from('not JSON') }), batch());
    assert.deepEqual([verdicts[0]?.outcome, verdicts[2]?.outcome], ['delivered', 'delivered']);
    assert.equal(verdicts[1]?.outcome, 'refused');
  });

  it('waits as long as the workspace asks', async (t) => {
    const rig = await createRegistrationRig(t);
    await rig.offer(batch());
    await rig.local.setFault({ mode: 'too-many-requests', retryAfterS: 42 });
    const [verdict] = await rig.offer(batch());
    assert.ok(verdict?.outcome === 'retry');
    assert.equal(verdict.retryAfterMs, 42_000);
  });
});
