import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BLOB_ADDRESS_PATH,
  BLOB_NOTIFICATION_PATH,
  CUSTOM_RECORDS_VERSION,
  DIAGNOSTICS_PATH,
  RENEW_PATH,
  TELEMETRY_PATH,
  TOPOLOGY_PATH,
  UPLOAD_PATH,
} from '../../src/oms-protocol/paths.ts';
import { AGENT_ID_HEADER, BATCH_ID_HEADER, DATA_HEADERS, uploadHeaders } from '../../src/oms-protocol/upload-headers.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { CAPTURED_AGENT, headersOf, readCapture, readCaptures } from '../support/oms-captures.ts';

const FACTS = { userAgent: 'Relay/0.1.0', version: '0.1.0', requestId: 'a', retryCount: 0, encoding: 'deflate' } as const;

// What belongs to one attempt or to the connection, not to the data.
const NOT_OF_THE_DATA = [
  'x-ms-client-request-retry-count',
  'x-request-id',
  'content-type',
  'content-encoding',
  'content-length',
  'user-agent',
  'x-ms-app',
  'x-ms-client-version',
  'x-ms-client-platform',
  'accept-encoding',
  'accept',
  'host',
];

const uploads = readCaptures().filter((capture) => capture.url.startsWith(UPLOAD_PATH));

describe('DATA_HEADERS', () => {
  it('names every header of the agent’s uploads that belongs to the data', () => {
    assert.equal(uploads.length, 7);
    for (const capture of uploads) {
      const others = Object.keys(headersOf(capture)).filter((name) => !NOT_OF_THE_DATA.includes(name));
      assert.deepEqual(
        others.filter((name) => !DATA_HEADERS.some((known) => known === name)),
        [],
      );
    }
  });

  it('carries the table and time field of custom records', () => {
    const headers = headersOf(readCapture('009'));
    const kept = Object.fromEntries(DATA_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
    assert.deepEqual([kept['log-type'], kept['time-generated-field'], kept['x-ms-date']], ['DemoLog', 'when', 'Sun, 22 Nov 2026 13:42:29 GMT']);
  });
});

describe('uploadHeaders', () => {
  it('has every header that an upload of the agent has, but those of its data and its connection', () => {
    const ours = Object.keys(uploadHeaders(FACTS));
    const theirs = Object.keys(headersOf(readCapture('016'))).filter((name) => !DATA_HEADERS.some((known) => known === name));
    const ofTheConnection = ['accept', 'accept-encoding', 'content-length', 'host'];
    assert.deepEqual(ours.sort(), theirs.filter((name) => !ofTheConnection.includes(name)).sort());
  });

  it('names batch and agent when it is told, and no encoding for a plain body', () => {
    const headers = uploadHeaders({ ...FACTS, encoding: 'identity', retryCount: 2, batchId: 'b', agentId: parseAgentId(CAPTURED_AGENT) });
    assert.equal(headers['content-encoding'], undefined);
    assert.equal(headers['x-ms-client-request-retry-count'], '2');
    assert.equal(headers[BATCH_ID_HEADER], 'b');
    assert.equal(headers[AGENT_ID_HEADER], CAPTURED_AGENT);
  });
});

describe('the paths', () => {
  it('are the ones the Linux agent asks for', () => {
    const pathOf = (number: string): string => readCapture(number).url.split('?')[0] ?? '';
    assert.deepEqual(['001', '003', '005', '013', '011', '018', '021'].map(pathOf), [
      TOPOLOGY_PATH,
      TELEMETRY_PATH,
      RENEW_PATH,
      UPLOAD_PATH,
      DIAGNOSTICS_PATH,
      BLOB_ADDRESS_PATH,
      BLOB_NOTIFICATION_PATH,
    ]);
    assert.equal(readCapture('009').url, `${UPLOAD_PATH}?api-version=${CUSTOM_RECORDS_VERSION}`);
  });
});
