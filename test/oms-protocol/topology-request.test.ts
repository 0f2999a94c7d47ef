import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificate } from '../../src/authority/x509.ts';
import {
  MAX_TOPOLOGY_BYTES,
  readRenewalRequest,
  readTopologyRequest,
  writeRenewalRequest,
  writeTopologyRequest,
} from '../../src/oms-protocol/topology-request.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { CAPTURED_AGENT, certificateIn, readCapture } from '../support/oms-captures.ts';

const CERTIFICATE = certificateIn(readCapture('001'));
const REQUEST = { hostName: 'web01.example.org', agentId: parseAgentId(CAPTURED_AGENT), certificate: CERTIFICATE, operatingSystem: 'Debian GNU/Linux 12.11' };

describe('readTopologyRequest', () => {
  for (const number of ['001', '002', '004', '006']) {
    it(`reads capture ${number} of the Linux agent`, () => {
      const capture = readCapture(number);
      const request = readTopologyRequest(capture.body);
      assert.equal(request?.hostName, 'testhost.example.test');
      assert.equal(request.agentId, CAPTURED_AGENT);
      assert.equal(request.operatingSystem, 'Debian GNU/Linux 12.11');
      assert.equal(readCertificate(request.certificate)?.fingerprint, capture.tls.clientCertificate?.fingerprint);
    });
  }

  it('reads back what is written', () => {
    const requests = [
      REQUEST,
      { ...REQUEST, hostName: 'a<b>&"\'ü' },
      { ...REQUEST, hostName: '', operatingSystem: '' },
      { ...REQUEST, operatingSystem: 'Linux' },
      { ...REQUEST, operatingSystem: 'Red Hat Enterprise Linux 9.4 (Plow)' },
    ];
    for (const request of requests) assert.deepEqual(readTopologyRequest(Buffer.from(writeTopologyRequest(request))), request);
  });

  it('does without an operating system, as some agents do', () => {
    const body = readCapture('001')
      .body.toString()
      .replace(/<OperatingSystem>.*<\/OperatingSystem>/, '');
    assert.equal(readTopologyRequest(Buffer.from(body))?.operatingSystem, '');
  });

  it('cuts a host name at 255 characters and an operating system at 120', () => {
    const request = readTopologyRequest(Buffer.from(writeTopologyRequest({ ...REQUEST, hostName: 'h'.repeat(300), operatingSystem: 'o'.repeat(300) })));
    assert.deepEqual([request?.hostName.length, request?.operatingSystem.length], [255, 120]);
  });

  it('refuses one without an agent id or a certificate, or with another root', () => {
    const body = writeTopologyRequest(REQUEST);
    const refused = [
      body.replace(CAPTURED_AGENT, 'agent'),
      body.replace(/<EntityTypeId>.*<\/EntityTypeId>/, ''),
      body.replace(/<AuthenticationCertificate>.*<\/AuthenticationCertificate>/, '<AuthenticationCertificate/>'),
      body.replace(CERTIFICATE.toString('base64'), '%%%'),
      body.replaceAll('AgentTopologyRequest', 'OtherRequest'),
      body.slice(0, -1),
      `${body}${body}`,
      '',
    ];
    for (const text of refused) assert.equal(readTopologyRequest(Buffer.from(text)), undefined);
  });

  it('reads up to 64 KiB and nothing beyond', () => {
    const body = writeTopologyRequest(REQUEST);
    const filled = (bytes: number): Buffer => Buffer.from(`${body}${' '.repeat(bytes - Buffer.byteLength(body))}`);
    assert.notEqual(readTopologyRequest(filled(MAX_TOPOLOGY_BYTES)), undefined);
    assert.equal(readTopologyRequest(filled(MAX_TOPOLOGY_BYTES + 1)), undefined);
  });

  it('never throws on a body with a changed or missing byte', () => {
    const { body } = readCapture('001');
    for (let at = 0; at < body.length; at += 3) {
      const changed = Buffer.from(body);
      changed.writeUInt8((body.readUInt8(at) + at) % 256, at);
      readTopologyRequest(changed);
      assert.equal(readTopologyRequest(body.subarray(0, at)), undefined);
    }
  });
});

describe('readRenewalRequest', () => {
  it('reads capture 005 of the Linux agent: the certificate that it then uses', () => {
    const certificate = readRenewalRequest(readCapture('005').body);
    assert.ok(certificate);
    assert.equal(readCertificate(certificate)?.fingerprint, readCapture('006').tls.clientCertificate?.fingerprint);
    assert.notEqual(readCertificate(certificate)?.fingerprint, readCapture('005').tls.clientCertificate?.fingerprint);
  });

  it('reads back what is written', () => {
    assert.deepEqual(readRenewalRequest(Buffer.from(writeRenewalRequest(CERTIFICATE))), CERTIFICATE);
  });

  it('refuses a topology request, an empty one, and one beyond 64 KiB', () => {
    assert.equal(readRenewalRequest(readCapture('001').body), undefined);
    assert.equal(readRenewalRequest(Buffer.from(writeRenewalRequest(Buffer.alloc(0)))), undefined);
    assert.equal(readRenewalRequest(Buffer.from(writeRenewalRequest(Buffer.alloc(MAX_TOPOLOGY_BYTES)))), undefined);
  });
});
