// Ten thousand broken requests in each format: an answer to each, nothing acknowledged that was not kept, and no memory left behind.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { messageType } from '../../../src/intake/protocols/otlp/messages.ts';
import { mutated } from '../../support/mutations.ts';
import { encodeRequest, JSON_TYPE, type OtlpRequest, type OtlpType, PROTOBUF } from '../../support/otlp-requests.ts';
import { seeded } from '../../support/seeded.ts';
import { createOtlpRig } from './rig.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const INPUTS = 10_000;
const MOST_LEFT_BEHIND_BYTES = 32 * 1024 * 1024;

const WHOLE = messageType<OtlpRequest>('ExportLogsServiceRequest');
const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const REQUEST: OtlpRequest = {
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'host.name', value: { stringValue: 'node01' } }] },
      schemaUrl: 'https://s/1',
      scopeLogs: [
        {
          scope: { name: 'lib', version: '1' },
          logRecords: [
            { timeUnixNano: '1795354925999150131', severityNumber: 9, body: { stringValue: 'gr\u00fc\u00dfe' }, traceId: '5b8efff798038103d269b633813fc60c' },
            { body: { kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{ intValue: '-3' }, { doubleValue: 0.5 }] } } }] } } },
            { body: { bytesValue: '/+8=' }, attributes: [{ key: 'b', value: { boolValue: true } }], flags: 1 },
          ],
        },
      ],
    },
  ],
};

/** How many records a body has by somebody else's reading of the whole; undefined where that finds none. */
function recordsIn(type: OtlpType, body: Buffer): number | undefined {
  try {
    const { resourceLogs } = type === PROTOBUF ? WHOLE.decode(body) : (JSON.parse(TEXT.decode(body)) as OtlpRequest);
    return (resourceLogs ?? []).flatMap(({ scopeLogs }) => (scopeLogs ?? []).flatMap(({ logRecords }) => logRecords ?? [])).length;
  } catch {
    return undefined;
  }
}

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe('ten thousand mutated requests of OTLP', () => {
  for (const [type, seed] of [
    [PROTOBUF, 11],
    [JSON_TYPE, 12],
  ] as const) {
    it(`in ${type} are each answered, and every record that is acknowledged is kept`, async () => {
      await using rig = await createOtlpRig();
      const random = seeded(seed);
      const request = encodeRequest(type, REQUEST);
      let before = 0;
      let taken = 0;
      for (let at = 0; at < INPUTS; at += 1) {
        if (at === INPUTS / 10) before = heap();
        const plain = mutated(request, random);
        const isZipped = random() < 1 / 4;
        const { status } = await rig.post(isZipped ? gzipSync(plain) : plain, { type, headers: isZipped ? { 'content-encoding': 'gzip' } : {} });
        const records = recordsIn(type, plain);
        const what = `input ${at}: ${status}, ${plain.toString('base64')}`;
        assert.ok(status === 200 || status === 400, what);
        // Protobuf has one meaning only; what is JSON may still be no request.
        if (type === PROTOBUF) assert.equal(status === 200, records !== undefined, what);
        if (status === 200) assert.equal(rig.rows().length, records, what);
        else assert.equal(rig.kept.length, 0, what);
        if (rig.kept.length > 0) taken += 1;
        rig.kept.length = 0;
      }
      assert.ok(heap() - before < MOST_LEFT_BEHIND_BYTES, 'memory is flat');
      assert.ok(taken > INPUTS / 100 && taken < INPUTS, `${taken} were taken`);
    });
  }
});
