import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { messageType } from '../../../src/intake/protocols/otlp/messages.ts';
import { readFluentBit } from '../../support/fluent-bit-captures.ts';
import { PROTOBUF } from '../../support/otlp-requests.ts';
import { API_KEY, createOtlpRig, type OtlpRig } from './rig.ts';

const CAPTURES = ['5b-otlp/001', '5b-otlp/002'].map(readFluentBit);
/** Places of a gzip header that say nothing of the data: its time, the level, the system (RFC 1952). */
const UNCHECKED = [4, 5, 6, 7, 8, 9];
const REQUEST = messageType<{ readonly resourceLogs: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly object[] }[] }[] }>(
  'ExportLogsServiceRequest',
);

async function statusOf({ intake }: OtlpRig, headers: Readonly<Record<string, string>>, payload: Buffer): Promise<number> {
  return (await intake.hapi.inject({ method: 'POST', url: '/v1/logs', headers, payload })).statusCode;
}

function changedAt(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(255 - changed.readUInt8(at), at);
  return changed;
}

/** How many records a body in protobuf has, by the library's own reading of the whole; undefined when it is none. */
function recordsIn(body: Buffer): number | undefined {
  try {
    return REQUEST.decode(body).resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)).length;
  } catch {
    return undefined;
  }
}

describe("Fluent Bit's OTLP requests, as it sent them", () => {
  it('are answered with 200 and no body, and their records kept', async () => {
    await using rig = await createOtlpRig();
    for (const { method, target, headers, body } of CAPTURES) {
      const { statusCode, headers: answered, rawPayload } = await rig.intake.hapi.inject({ method, url: target, headers, payload: body });
      assert.deepEqual([statusCode, answered['content-type'], rawPayload.length], [200, PROTOBUF, 0]);
    }
    assert.deepEqual(rig.rows(), [
      { TimeGenerated: '2026-11-22T13:42:05.999150Z', Body: 'hello otlp' },
      { TimeGenerated: '2026-11-22T13:42:06.052346Z', Body: 'hello otlp' },
      { TimeGenerated: '2026-11-22T13:42:06.252588Z', Body: 'hello otlp' },
    ]);
    assert.deepEqual(
      rig.kept.map(({ origin }) => origin.encoding),
      ['gzip', 'gzip'],
    );
  });

  it('with one byte of the compressed body changed are refused with 400, and nothing is kept', async () => {
    await using rig = await createOtlpRig();
    for (const { headers, body } of CAPTURES) {
      for (let at = 0; at < body.length; at += 1) {
        if (!UNCHECKED.includes(at)) assert.equal(await statusOf(rig, headers, changedAt(body, at)), 400, `byte ${at}`);
      }
    }
    assert.equal(rig.kept.length, 0);
  });

  it('with one byte of the plain body changed are refused with 400 where protobuf can tell, and kept as they then read otherwise', async () => {
    await using rig = await createOtlpRig();
    let refused = 0;
    for (const { headers, body } of CAPTURES) {
      const { 'content-encoding': _, 'content-length': __, ...plainHeaders } = headers;
      const plain = gunzipSync(body);
      for (let at = 0; at < plain.length; at += 1) {
        rig.kept.length = 0;
        const changed = changedAt(plain, at);
        const records = recordsIn(changed);
        assert.equal(await statusOf(rig, plainHeaders, changed), records === undefined ? 400 : 200, `byte ${at}`);
        assert.equal(rig.rows().length, records ?? 0);
        if (records === undefined) refused += 1;
      }
    }
    assert.ok(refused > 20, `${refused} were refused`);
  });

  it('with one character of the API key changed are refused with 401', async () => {
    await using rig = await createOtlpRig();
    const [{ headers, body } = readFluentBit('5b-otlp/001')] = CAPTURES;
    assert.equal(headers['x-api-key'], API_KEY);
    for (let at = 0; at < API_KEY.length; at += 1) {
      const key = `${API_KEY.slice(0, at)}X${API_KEY.slice(at + 1)}`;
      assert.equal(await statusOf(rig, { ...headers, 'x-api-key': key }, body), 401);
    }
    assert.equal(rig.kept.length, 0);
  });
});
