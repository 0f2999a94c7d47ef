import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync, gunzipSync } from 'node:zlib';
import type { Answer } from '../../src/agent/connection.ts';
import { createTokens, postWithToken } from '../../src/agent/token-posts.ts';
import { DIRECT_TOKEN_PATH } from '../../src/check-in/agent-configuration.ts';
import { createManualClock } from '../support/manual-clock.ts';

const RULE = { id: `dcr-${'0'.repeat(32)}`, streams: { LINUX_PERF_BLOB: 'Custom-Perf_CL' } };
const HOUR_MS = 3_600_000;

interface Post {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rows: unknown;
}

interface Rig {
  readonly posts: Post[];
  readonly asked: string[];
  readonly clock: ReturnType<typeof createManualClock>;
  /** What the workspace answers. */
  statuses: number[];
  relayStatus: number;
  post(dataType: string, records: readonly object[], batchId?: string): Promise<Answer>;
}

function rig(): Rig {
  const clock = createManualClock();
  const answer = (status: number, text = ''): Promise<Answer> => Promise.resolve({ status, text, retryAfter: undefined });
  const [posts, asked]: [Post[], string[]] = [[], []];
  const tokenFor = createTokens({
    clock,
    relay: {
      post(path, _, body) {
        asked.push(`${path} ${String(body)}`);
        const content = { token: `token-${asked.length}`, expiresAt: clock.now() + HOUR_MS };
        return answer(all.relayStatus, all.relayStatus === 200 ? JSON.stringify(content) : '{"code":"relay.agent.no-token-now","message":"later"}');
      },
    },
  });
  const workspace = {
    post: (path: string, headers: Readonly<Record<string, string>>, body: Uint8Array | string): Promise<Answer> => {
      posts.push({ path, headers, rows: JSON.parse(gunzipSync(body).toString()) });
      return answer(all.statuses.shift() ?? 204);
    },
  };
  const post = postWithToken(workspace, RULE, tokenFor);
  const all: Rig = {
    posts,
    asked,
    clock,
    statuses: [],
    relayStatus: 200,
    post: (dataType, records, batchId) =>
      post(
        '/ignored',
        batchId === undefined ? {} : { 'x-relay-batch-id': batchId },
        deflateSync(JSON.stringify({ DataType: dataType, IPName: 'x', DataItems: records })),
      ),
  };
  return all;
}

describe('posting with a token', () => {
  it("sends an upload as rows to the data type's stream, with a token for it that is kept", async () => {
    const all = rig();
    assert.equal((await all.post('LINUX_PERF_BLOB', [{ Timestamp: '2026-11-23T06:00:00Z', Value: 1 }], 'b-1')).status, 204);
    await all.post('LINUX_PERF_BLOB', [{ Value: 2 }]);
    const [first, second] = all.posts;
    assert.equal(first?.path, `/dataCollectionRules/${RULE.id}/streams/Custom-Perf_CL?api-version=2023-01-01`);
    assert.equal(first?.headers['authorization'], 'Bearer token-1');
    assert.deepEqual(first?.rows, [{ Timestamp: '2026-11-23T06:00:00Z', Value: 1, TimeGenerated: '2026-11-23T06:00:00Z', RelayBatchId: 'b-1' }]);
    assert.deepEqual(second?.rows, [{ Value: 2 }]);
    assert.deepEqual(all.asked, [`${DIRECT_TOKEN_PATH} {"stream":"Custom-Perf_CL"}`]);
    all.clock.advance(HOUR_MS - 1_000);
    await all.post('LINUX_PERF_BLOB', [{}]);
    assert.equal(all.posts.at(-1)?.headers['authorization'], 'Bearer token-2');
  });

  it('asks for another token once when one is refused', async () => {
    const all = rig();
    all.statuses = [401];
    assert.equal((await all.post('LINUX_PERF_BLOB', [{}])).status, 204);
    assert.equal(all.asked.length, 2);
    all.statuses = [401, 401];
    assert.equal((await all.post('LINUX_PERF_BLOB', [{}])).status, 401);
    assert.equal(all.posts.length, 4);
  });

  it('says why there is no token, and which data type has no stream', async () => {
    const all = rig();
    all.relayStatus = 503;
    await assert.rejects(all.post('LINUX_PERF_BLOB', [{}]), /no token for the stream Custom-Perf_CL \(503 relay\.agent\.no-token-now: later\)/);
    await assert.rejects(all.post('OTHER_BLOB', [{}]), /names no stream for OTHER_BLOB/);
    assert.equal(all.posts.length, 0);
  });
});
