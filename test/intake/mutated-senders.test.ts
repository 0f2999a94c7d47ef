// Ten thousand broken requests for each protocol of senders: an answer to each, nothing acknowledged that was not kept, and no memory left behind.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import type { AgentId, WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { AZURE_KEY, AZURE_WORKSPACE, CLIENT_ID, CLIENT_SECRET, readFluentBit } from '../support/fluent-bit-captures.ts';
import { mutated } from '../support/mutations.ts';
import { seeded } from '../support/seeded.ts';
import { BANK, createIntakeRig, type IntakeRig } from './rig.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const INPUTS = 10_000;
const MOST_LEFT_BEHIND_BYTES = 32 * 1024 * 1024;
const HTTP_TOKEN_BREAKERS = /[^\t\x20-\x7e]/g;

interface Sent {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

/** Sends as many as `INPUTS` and checks each answer. Returns how many were taken. */
async function flood(
  rig: IntakeRig,
  make: (at: number) => Sent,
  { taken, answers }: { readonly taken: number; readonly answers: readonly number[] },
): Promise<number> {
  let acknowledged = 0;
  let before = 0;
  for (let at = 0; at < INPUTS; at += 1) {
    if (at === INPUTS / 10) before = heap();
    const sent = make(at);
    const kept = rig.kept.length;
    const { statusCode } = await rig.intake.hapi.inject({ method: 'POST', url: sent.url, headers: sent.headers, payload: sent.payload });
    assert.ok(answers.includes(statusCode), `${statusCode} for input ${at}: ${sent.url} ${JSON.stringify(sent.headers)} ${sent.payload.toString('base64')}`);
    const now = rig.kept.length - kept;
    assert.ok(statusCode === taken ? now <= 1 : now === 0, `input ${at}: ${statusCode}, and ${now} batches kept`);
    if (statusCode === taken) acknowledged += 1;
    if (now === 1) assert.ok(rig.kept[0]?.body.equals(sent.payload), 'kept as it came');
    rig.kept.length = 0;
  }
  assert.ok(heap() - before < MOST_LEFT_BEHIND_BYTES, 'memory is flat');
  return acknowledged;
}

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function mutatedHeaders(headers: Readonly<Record<string, string>>, random: () => number, names: readonly string[]): Record<string, string> {
  const changed = { ...headers };
  const name = names[Math.floor(random() * names.length)] ?? '';
  if (random() < 1 / 2)
    changed[name] = mutated(Buffer.from(changed[name] ?? ''), random)
      .toString('latin1')
      .replaceAll(HTTP_TOKEN_BREAKERS, '');
  return changed;
}

function mutatedUrl(url: string, random: () => number): string {
  return random() < 1 / 4
    ? `/${mutated(Buffer.from(url.slice(1)), random)
        .toString('latin1')
        .replaceAll(/[^\x21-\x7e]/g, '')}`
    : url;
}

describe('ten thousand mutated requests', () => {
  it('of the Data Collector API are each answered, and what is taken is kept as it came', async () => {
    await using rig = await createIntakeRig({
      workspaceId: AZURE_WORKSPACE as WorkspaceId,
      now: readFluentBit('3-azure/001').at,
      enrolment: { badCredentialsPerMinute: 1_000 },
    });
    rig.group.senders.create({ name: 'fluent', workspaceId: AZURE_WORKSPACE as WorkspaceId, secret: AZURE_KEY });
    const random = seeded(8);
    const { body, headers } = readFluentBit('3-azure/001');
    const taken = await flood(
      rig,
      () => {
        rig.clock.advance(1_000);
        const isZipped = random() < 1 / 3;
        const plain = random() < 1 / 3 ? body : mutated(body, random);
        const payload = isZipped ? (random() < 1 / 2 ? gzipSync(plain) : mutated(gzipSync(plain), random)) : plain;
        const date = new Date(rig.clock.now()).toUTCString();
        const signature = createHmac('sha256', Buffer.from(AZURE_KEY, 'base64'))
          .update(`POST\n${payload.length}\napplication/json\nx-ms-date:${date}\n/api/logs`)
          .digest('base64');
        const { 'content-length': _, ...rest } = headers;
        const own = {
          ...rest,
          'x-ms-date': date,
          authorization: `SharedKey ${AZURE_WORKSPACE}:${signature}`,
          ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
        };
        const names = ['authorization', 'x-ms-date', 'log-type', 'content-type', 'time-generated-field', 'content-encoding'];
        return { url: mutatedUrl('/api/logs?api-version=2016-04-01', random), headers: mutatedHeaders(own, random, names), payload };
      },
      { taken: 200, answers: [200, 400, 403, 404, 429] },
    );
    assert.ok(taken > INPUTS / 100 && taken < INPUTS, `${taken} were taken`);
  });

  it('of the Logs Ingestion API are each answered, and what is taken is kept as it came', async () => {
    await using rig = await createIntakeRig({ enrolment: { badCredentialsPerMinute: 1_000 } });
    rig.group.senders.create({ name: 'fluent', workspaceId: BANK, clientId: CLIENT_ID as AgentId, secret: CLIENT_SECRET });
    const known = rig.group.senders.identify(CLIENT_ID, CLIENT_SECRET);
    assert.ok(known);
    const random = seeded(9);
    const rows = Buffer.from('[{"TimeGenerated":"2026-11-22T13:42:36.141Z","message":"hello dcr","level":"info","n":42},{"a":[1,{"b":"\\u00fc"}]}]');
    const url = '/dataCollectionRules/dcr-0123456789abcdef0123456789abcdef/streams/Custom-StubTable_CL?api-version=2021-11-01-preview';
    const taken = await flood(
      rig,
      (at) => {
        if (at % 500 === 0) rig.clock.advance(60_000);
        const token = rig.group.senderTokens.issue(known, 3_600_000);
        const isZipped = random() < 1 / 2;
        const plain = random() < 1 / 3 ? rows : mutated(rows, random);
        const payload = isZipped ? (random() < 1 / 2 ? gzipSync(plain) : mutated(gzipSync(plain), random)) : plain;
        const own = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...(isZipped ? { 'content-encoding': 'gzip' } : {}) };
        return { url: mutatedUrl(url, random), headers: mutatedHeaders(own, random, ['authorization', 'content-type', 'content-encoding']), payload };
      },
      { taken: 204, answers: [204, 400, 401, 403, 404, 413, 429] },
    );
    assert.ok(taken > INPUTS / 100 && taken < INPUTS, `${taken} were taken`);
  });

  it('for a token are each answered, and none gets one with a wrong secret', async () => {
    await using rig = await createIntakeRig({ enrolment: { badCredentialsPerMinute: 1_000, attemptsPerMinute: 1_000_000 } });
    rig.group.senders.create({ name: 'fluent', workspaceId: BANK, clientId: CLIENT_ID as AgentId, secret: CLIENT_SECRET });
    const random = seeded(10);
    const form = readFluentBit('4-ali-httpauth/001').body;
    let granted = 0;
    for (let at = 0; at < INPUTS; at += 1) {
      if (at % 500 === 0) rig.clock.advance(60_000);
      const payload = mutated(form, random);
      const { statusCode } = await rig.intake.hapi.inject({ method: 'POST', url: '/any/oauth2/v2.0/token', payload });
      assert.ok([200, 400, 401, 429].includes(statusCode), `${statusCode}: ${payload.toString('base64')}`);
      if (statusCode !== 200) continue;
      granted += 1;
      assert.ok(payload.includes(CLIENT_SECRET) && payload.includes(CLIENT_ID), payload.toString('latin1'));
    }
    assert.ok(granted > 0 && granted < INPUTS);
  });
});
