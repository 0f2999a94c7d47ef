import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { KINDS, type Kind } from '../../src/batch/kind.ts';
import type { LossEntry } from '../../src/cache/loss.ts';
import type { LocalWorkspace } from '../../src/local-workspace/local-workspace.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { BATCH_ID_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import { eventually } from '../support/eventually.ts';
import { type Machine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

const SMALL = { limit: '64KiB', segmentSize: '64KiB', groupSize: '4KiB' };
const DATA_TYPES: Readonly<Record<Kind, string>> = {
  Performance: 'LINUX_PERF_BLOB',
  Metadata: 'WLM_LINUX_VM_METADATA_BLOB',
  State: 'HEALTH_ASSESSMENT_BLOB',
  Configuration: 'CONFIG_CHANGE_BLOB',
  Event: 'LINUX_SYSLOGS_BLOB',
  Alert: 'LINUX_NAGIOSALERTS_BLOB',
};

interface Sent {
  readonly kind: Kind;
  readonly id: string;
  readonly bytes: number;
}

/** Sends three records of a kind that do not deflate well; undefined when the relay refused them. */
async function send(machine: Machine, kind: Kind): Promise<Sent | undefined> {
  const items = [1, 2, 3].map((item) => ({ item, noise: randomBytes(1_000).toString('base64') }));
  const body = deflateSync(JSON.stringify({ DataType: DATA_TYPES[kind], IPName: 'LogManagement', DataItems: items }));
  const { status, headers } = await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, body);
  if (status !== 200) assert.deepEqual([status, headers['retry-after'] !== undefined], [503, true]);
  return status === 200 ? { kind, id: String(headers[BATCH_ID_HEADER]), bytes: body.length } : undefined;
}

async function losses({ relay }: Site): Promise<LossEntry[]> {
  return JSON.parse(await runWell(['losses', 'list', '--socket', relay.socket, '--json'])) as LossEntry[];
}

async function details(local: LocalWorkspace): Promise<string[]> {
  const records = await local.query(BANK, { dataType: 'OPERATION_BLOB', limit: 100 });
  return records.map(({ data }) => (data as { readonly Detail: string }).Detail);
}

test('a full cache drops by kind, and its ledger, its books and the records in the workspace agree, a kill between them too', async (t) => {
  await using site = await startSite({ sections: { retry: { every: '500ms', window: '1h' } }, cache: SMALL });
  const { relay } = site;
  const { local } = site.upstream();
  const [machine] = await site.machines(1);
  assert.ok(machine);
  await local.setFault({ mode: 'down' });

  const sent: Sent[] = [];
  for (const kind of [...KINDS, ...KINDS]) sent.push((await send(machine, kind)) ?? assert.fail(`${kind} was refused`));
  for (let alert = await send(machine, 'Alert'); alert; alert = await send(machine, 'Alert')) {
    sent.push(alert);
    if (sent.length === 18) {
      await relay.end('SIGKILL');
      await relay.start();
    }
  }
  assert.equal(await send(machine, 'Event'), undefined, 'nothing lower is held any more');
  const entries = await losses(site);
  assert.match(await runWell(['status', '--socket', relay.socket]), /batches \(.*\) were given up, and the workspace has not been told yet/);

  await local.setFault({ mode: 'none' });
  await eventually('the workspace has been told', async () => (await losses(site)).every(({ reported }) => reported));
  const expectedLost = sent.filter(({ kind }) => kind !== 'Alert');
  const kept = sent.filter(({ kind }) => kind === 'Alert').map(({ id }) => id);
  await eventually('the rest is there', async () => kept.every((id) => local.batchIds(BANK).includes(id)) && (await details(local)).length >= entries.length);
  assert.deepEqual(
    local.batchIds(BANK).filter((id) => expectedLost.some((lost) => lost.id === id)),
    [],
    'what the ledger has as lost did not arrive as well',
  );
  const records = await details(local);
  assert.equal(records.length, entries.length);
  for (const kind of KINDS.slice(0, -1)) {
    const own = expectedLost.filter((one) => one.kind === kind);
    const bytes = own.reduce((sum, one) => sum + one.bytes, 0);
    const ofKind = entries.filter((entry) => entry.kind === kind);
    assert.deepEqual(
      ofKind.map((entry) => [entry.batches, entry.records, entry.bytes]),
      [[own.length, 3 * own.length, bytes]],
      kind,
    );
    const told: string = `gave up ${own.length} batches (${3 * own.length} records, ${bytes} bytes) of ${kind} data, ${DATA_TYPES[kind]}, from agent ${machine.agentId}`;
    assert.equal(records.filter((detail) => detail.includes(told)).length, 1, told);
  }
  for (const { kind, ...balance } of (await relay.status()).cache.workspaces[0]?.balance ?? []) {
    const { recovered, received, delivered, cached, deadLettered, dropped } = balance;
    assert.equal(recovered.batches + received.batches, delivered.batches + cached.batches + deadLettered.batches + dropped.batches, kind);
  }
  t.diagnostic(records.join('\n'));
});
