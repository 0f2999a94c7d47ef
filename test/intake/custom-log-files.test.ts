import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BLOB_ADDRESS_PATH } from '../../src/oms-protocol/paths.ts';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { BANK, codeIn, createIntakeRig, type EnrolledAgent, enrolAgent, type IntakeRig } from './rig.ts';

interface BlobRig extends IntakeRig {
  readonly agent: EnrolledAgent;
  address(dataType?: string): Promise<string>;
  put(address: string, query: string, body: string): Promise<{ readonly status: number; readonly text: string }>;
}

async function createBlobRig(): Promise<BlobRig> {
  let presented: Buffer | undefined;
  const rig = await createIntakeRig({ peer: () => presented });
  const agent = await enrolAgent(rig);
  return {
    ...rig,
    agent,
    async address(dataType = 'CUSTOM_LOG_BLOB.Demo_CL') {
      presented = agent.der;
      const payload = JSON.stringify({ DataTypeId: dataType });
      const answer = await rig.intake.hapi.inject({ method: 'POST', url: BLOB_ADDRESS_PATH, headers: { host: 'relay.test' }, payload });
      presented = undefined;
      assert.equal(answer.statusCode, 200, answer.payload);
      const { pathname, search } = new URL((JSON.parse(answer.payload) as { Uri: string }).Uri);
      return pathname + search;
    },
    async put(address, query, body) {
      const headers = { 'x-ms-meta-filepath': 'var/log/demo', 'x-ms-meta-computername': 'web01' };
      const { statusCode, payload } = await rig.intake.hapi.inject({ method: 'PUT', url: `${address}&${query}`, headers, payload: body });
      return { status: statusCode, text: payload };
    },
  };
}

const listOf = (...ids: string[]): string => `<BlockList><Uncommitted>${ids.join('\n</Uncommitted><Uncommitted>')}\n</Uncommitted></BlockList>`;
const linesOf = (rig: IntakeRig): string[] => rig.kept.flatMap(({ body }) => (JSON.parse(String(body)) as { RawData: string }[]).map(({ RawData }) => RawData));

describe('a custom log file', () => {
  it('is put together in the order of its list, empty lines left out', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    await rig.put(address, 'comp=block&blockid=b', 'three\r\n\r\nfour\r\n');
    await rig.put(address, 'comp=block&blockid=a', 'one\ntwo\n');
    assert.equal((await rig.put(address, 'comp=blocklist', listOf('a', 'b'))).status, 201);
    assert.deepEqual(linesOf(rig), ['one', 'two', 'three', 'four']);
    assert.equal(rig.kept[0]?.agentId, rig.agent.agentId);
  });

  it('cannot be sent any more to an address given before the agent was suspended', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    rig.group.registry.setState(BANK, rig.agent.agentId, 'suspended', 'stolen');
    const refused = await rig.put(address, 'comp=block&blockid=a', 'one\n');
    assert.deepEqual([refused.status, codeIn(refused.text)], [403, 'relay.agent.suspended']);
  });

  it('cannot be sent any more to an address given before the agent was moved or removed', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    rig.group.registry.move({ workspaceId: BANK, agentId: rig.agent.agentId }, parseWorkspaceId('22222222-2222-4222-8222-222222222222'));
    assert.equal((await rig.put(address, 'comp=block&blockid=a', 'one\n')).status, 403);
    const next = await rig.address();
    assert.equal((await rig.put(next, 'comp=block&blockid=a', 'one\n')).status, 201);
    assert.equal((await rig.put(next, 'comp=blocklist', listOf('a'))).status, 201);
    assert.deepEqual([linesOf(rig), rig.kept[0]?.workspaceId.slice(0, 4)], [['one'], '2222']);
  });

  it('whose list the cache did not take is kept when the list comes again', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    await rig.put(address, 'comp=block&blockid=a', 'one\r\n');
    rig.answer({ outcome: 'full', message: 'There is no room.' });
    const refused = await rig.put(address, 'comp=blocklist', listOf('a'));
    assert.deepEqual([refused.status, codeIn(refused.text)], [503, 'relay.cache.full']);
    rig.answer({ outcome: 'stored' });
    assert.equal((await rig.put(address, 'comp=blocklist', listOf('a'))).status, 201);
    assert.deepEqual(linesOf(rig), ['one']);
  });

  it('whose list comes twice is kept once', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    await rig.put(address, 'comp=block&blockid=a', 'one\r\n');
    for (let at = 0; at < 2; at += 1) assert.equal((await rig.put(address, 'comp=blocklist', listOf('a'))).status, 201);
    assert.deepEqual(linesOf(rig), ['one']);
  });

  it('whose list names a block that never came is refused, for nothing of it would be kept', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    await rig.put(address, 'comp=block&blockid=a', 'one\r\n');
    const { status, text } = await rig.put(address, 'comp=blocklist', listOf('a', 'b'));
    assert.deepEqual([status, codeIn(text)], [400, 'relay.intake.bad-request']);
    assert.deepEqual(rig.kept, []);
  });

  it('with a list that is none, a block without an id or another part is refused', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    for (const [query, body] of [
      ['comp=blocklist', '<Blocks/>'],
      ['comp=blocklist', ''],
      ['comp=block', 'x'],
      [`comp=block&blockid=${'x'.repeat(129)}`, 'x'],
      ['comp=page', 'x'],
    ] as const) {
      const { status, text } = await rig.put(address, query, body);
      assert.deepEqual([status, codeIn(text)], [400, 'relay.intake.bad-request'], query);
    }
  });

  it('is only taken at an address that was handed out, with its secret, and not too late', async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    const wrong = address.replace(/sig=../, 'sig=zz');
    for (const one of [wrong, address.replace(/\?.*/, '?x=y'), '/blobs/nowhere?sig=x']) {
      const { status, text } = await rig.put(one, 'comp=block&blockid=a', 'x');
      assert.deepEqual([status, codeIn(text)], [403, 'relay.blob.bad-address'], one);
    }
    rig.clock.advance(10 * 60_000);
    assert.equal((await rig.put(address, 'comp=block&blockid=a', 'x')).status, 403);
  });

  it('is refused when too many blocks wait for their lists, and taken again when there is room', { timeout: 30_000 }, async () => {
    await using rig = await createBlobRig();
    const address = await rig.address();
    const block = 'x'.repeat(15 * 1024 * 1024);
    for (const id of ['a', 'b', 'c', 'd']) assert.equal((await rig.put(address, `comp=block&blockid=${id}`, block)).status, 201);
    const full = await rig.put(address, 'comp=block&blockid=e', block);
    assert.deepEqual([full.status, codeIn(full.text)], [503, 'relay.cache.full']);
    rig.clock.advance(10 * 60_000);
    assert.equal((await rig.put(await rig.address(), 'comp=block&blockid=e', block)).status, 201);
  });

  it('for a table whose name is too short for a Log-Type gets no address', async () => {
    await using rig = await createBlobRig();
    await assert.rejects(rig.address('CUSTOM_LOG_BLOB.A'), /400/);
  });
});
