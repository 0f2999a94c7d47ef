import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { createCertificate } from '../../src/authority/certificate.ts';
import { checkOnboarding, type OnboardingAttempt, type OnboardingKey, type OnboardingRefusal, onboardingHeaders } from '../../src/oms-protocol/onboarding.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { CAPTURED_AGENT, CAPTURED_SHARED_KEY, CAPTURED_WORKSPACE, certificateIn, headerOf, type OmsCapture, readCapture } from '../support/oms-captures.ts';

const WORKSPACE = parseWorkspaceId(CAPTURED_WORKSPACE);
const OTHER_WORKSPACE = parseWorkspaceId('00000000-0000-0000-0000-000000000001');
const AGENT = parseAgentId(CAPTURED_AGENT);
const SKEW_MS = 5 * 60_000;
const KEYS: readonly OnboardingKey[] = [
  { id: 'older', key: Buffer.alloc(64, 1) },
  { id: 'current', key: CAPTURED_SHARED_KEY },
];

const CAPTURE = readCapture('001');
const SENT_AT = Date.parse(headerOf(CAPTURE, 'x-ms-date') ?? '');

function attemptOf(capture: OmsCapture, changes: Partial<OnboardingAttempt> = {}): OnboardingAttempt {
  return {
    headers: { authorization: headerOf(capture, 'authorization'), date: headerOf(capture, 'x-ms-date'), contentHash: headerOf(capture, 'x-ms-sha256_content') },
    body: capture.body,
    peerCertificate: certificateIn(capture),
    now: SENT_AT,
    maxSkewMs: SKEW_MS,
    keysOf: (workspaceId) => (workspaceId === WORKSPACE ? KEYS : []),
    ...changes,
  };
}

// A request that our own side signs, for the bodies and dates the agent never sent.
function ownAttempt(body: string, peerCertificate: Buffer, date = new Date(SENT_AT).toISOString(), workspaceId: WorkspaceId = WORKSPACE): OnboardingAttempt {
  const bytes = Buffer.from(body);
  const { authorization, 'x-ms-date': sentDate, 'x-ms-sha256_content': hash } = onboardingHeaders(workspaceId, CAPTURED_SHARED_KEY, bytes, date);
  return attemptOf(CAPTURE, {
    headers: { authorization, date: sentDate, contentHash: hash },
    body: bytes,
    peerCertificate,
    keysOf: () => KEYS,
  });
}

function certificateNamed(...names: string[]): Buffer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = names.map((name) => ['CN', name] as const);
  return createCertificate({ subject, issuer: subject, notBefore: new Date(0), notAfter: new Date(1000), publicKey, issuerKey: privateKey, authority: false });
}

function bodyWith(certificate: Buffer): string {
  return writeTopologyRequest({ hostName: 'web01', agentId: AGENT, certificate, operatingSystem: 'Debian GNU/Linux 12.11' });
}

function refusalOf(attempt: OnboardingAttempt): OnboardingRefusal {
  const outcome = checkOnboarding(attempt);
  assert.equal(outcome.accepted, false);
  return outcome as OnboardingRefusal;
}

describe('checkOnboarding', () => {
  it('accepts the onboarding of the Linux agent, and says with which key', () => {
    const outcome = checkOnboarding(attemptOf(CAPTURE));
    assert.ok(outcome.accepted);
    assert.equal(outcome.workspaceId, WORKSPACE);
    assert.equal(outcome.keyId, 'current');
    assert.equal(outcome.request.agentId, AGENT);
    assert.equal(outcome.request.hostName, 'testhost.example.test');
    assert.deepEqual(outcome.certificate, CAPTURE.tls.clientCertificate);
  });

  it('accepts what our own side signs', () => {
    const certificate = certificateNamed(WORKSPACE, AGENT);
    assert.equal(checkOnboarding(ownAttempt(bodyWith(certificate), certificate)).accepted, true);
  });

  it('reads ids without regard to case', () => {
    const certificate = certificateNamed(WORKSPACE.toUpperCase(), AGENT.toUpperCase());
    const body = bodyWith(certificate).replace(AGENT, AGENT.toUpperCase());
    const attempt = ownAttempt(body, certificate);
    const { authorization = '' } = attempt.headers;
    const outcome = checkOnboarding({ ...attempt, headers: { ...attempt.headers, authorization: authorization.replace(WORKSPACE, WORKSPACE.toUpperCase()) } });
    assert.equal(outcome.accepted, true);
  });

  for (const missing of ['authorization', 'date', 'contentHash'] as const) {
    it(`refuses a request without ${missing}`, () => {
      const attempt = attemptOf(CAPTURE);
      assert.equal(refusalOf({ ...attempt, headers: { ...attempt.headers, [missing]: undefined } }).reason, 'MissingSignature');
    });
  }

  it('refuses the later topology requests of the agent, which are not signed', () => {
    for (const number of ['002', '004', '006']) assert.equal(refusalOf(attemptOf(readCapture(number))).reason, 'MissingSignature');
  });

  it('refuses a signature that is one character off, anywhere', () => {
    const attempt = attemptOf(CAPTURE);
    const { authorization = '' } = attempt.headers;
    const start = authorization.indexOf('; ') + 2;
    for (let at = start; at < authorization.length; at += 1) {
      const changed = `${authorization.slice(0, at)}${authorization[at] === 'A' ? 'B' : 'A'}${authorization.slice(at + 1)}`;
      assert.equal(refusalOf({ ...attempt, headers: { ...attempt.headers, authorization: changed } }).reason, 'InvalidWorkspaceKey');
    }
  });

  it('refuses a date or content hash other than the signed one', () => {
    const attempt = attemptOf(CAPTURE);
    const later = attempt.headers.date?.replace('13:39:48', '13:39:49');
    assert.equal(refusalOf({ ...attempt, headers: { ...attempt.headers, date: later } }).reason, 'InvalidWorkspaceKey');
    const contentHash = 'KjH0TaS9fey70939GjeuBNAuxmXiwmiIFszGVjFYbtE=';
    assert.equal(refusalOf({ ...attempt, headers: { ...attempt.headers, contentHash } }).reason, 'InvalidWorkspaceKey');
  });

  it('refuses a workspace that is unknown, another one, or no GUID', () => {
    const attempt = attemptOf(CAPTURE);
    const { authorization = '' } = attempt.headers;
    for (const workspace of [OTHER_WORKSPACE, 'scom', '']) {
      const changed = { ...attempt.headers, authorization: authorization.replace(WORKSPACE, workspace) };
      assert.equal(refusalOf({ ...attempt, headers: changed }).reason, 'InvalidWorkspaceKey');
    }
  });

  it('refuses a key of another workspace, or a workspace without keys', () => {
    assert.equal(refusalOf(attemptOf(CAPTURE, { keysOf: () => [{ id: 'other', key: Buffer.alloc(64, 2) }] })).reason, 'InvalidWorkspaceKey');
    assert.equal(refusalOf(attemptOf(CAPTURE, { keysOf: () => [] })).reason, 'InvalidWorkspaceKey');
  });

  it('does not take the stand-in for an unknown key as a key', () => {
    const attempt = ownAttempt('<x/>', certificateNamed('x'));
    const { authorization } = onboardingHeaders(WORKSPACE, Buffer.alloc(64), attempt.body, attempt.headers.date ?? '');
    const forged = { ...attempt.headers, authorization };
    assert.equal(refusalOf({ ...attempt, headers: forged, keysOf: () => [] }).reason, 'InvalidWorkspaceKey');
  });

  it('refuses a body that is one bit off, shorter or longer', () => {
    for (let at = 0; at < CAPTURE.body.length; at += 97) {
      const body = Buffer.from(CAPTURE.body);
      body.writeUInt8(body.readUInt8(at) ^ 1, at);
      assert.equal(refusalOf(attemptOf(CAPTURE, { body })).reason, 'ContentHashMismatch');
    }
    assert.equal(refusalOf(attemptOf(CAPTURE, { body: CAPTURE.body.subarray(1) })).reason, 'ContentHashMismatch');
    assert.equal(refusalOf(attemptOf(CAPTURE, { body: Buffer.concat([CAPTURE.body, Buffer.from(' ')]) })).reason, 'ContentHashMismatch');
  });

  it('accepts a clock that differs by as much as allowed, either way, and no more', () => {
    for (const sign of [-1, 1]) {
      assert.equal(checkOnboarding(attemptOf(CAPTURE, { now: SENT_AT + sign * SKEW_MS })).accepted, true);
      const refusal = refusalOf(attemptOf(CAPTURE, { now: SENT_AT + sign * (SKEW_MS + 1) }));
      assert.equal(refusal.reason, 'StaleDate');
      assert.match(refusal.message, /2026-11-22T13:39:48\.033528465\+00:00 is more than 5 minutes from this machine's 2026-11-22T13:/);
    }
  });

  it('reads dates with an offset from UTC, with and without fractions', () => {
    const certificate = certificateNamed(WORKSPACE, AGENT);
    const dates = ['2026-11-22T14:39:48.033528465+01:00', '2026-11-22T08:09:48-05:30', '2026-11-22T13:39:48Z', '2026-11-23T02:39:48.0+13:00'];
    for (const date of dates) assert.equal(checkOnboarding(ownAttempt(bodyWith(certificate), certificate, date)).accepted, true, date);
  });

  it('refuses what is no such date, even when it is signed', () => {
    const certificate = certificateNamed(WORKSPACE, AGENT);
    const dates = ['Sun, 22 Nov 2026 13:39:48 GMT', '2026-11-22', '2026-11-22T13:39:48', '2026-13-22T13:39:48Z', '1795354788', 'x'];
    for (const date of dates) assert.equal(refusalOf(ownAttempt(bodyWith(certificate), certificate, date)).reason, 'StaleDate', date);
  });

  it('refuses a connection without a client certificate, or with another one', () => {
    const others = [undefined, certificateIn(readCapture('006')), certificateNamed(WORKSPACE, AGENT), Buffer.alloc(0)];
    for (const peerCertificate of others) assert.equal(refusalOf(attemptOf(CAPTURE, { peerCertificate })).reason, 'CertificateMismatch');
  });

  it('refuses a certificate whose names are swapped, missing or another’s', () => {
    const subjects = [[AGENT, WORKSPACE], [WORKSPACE], [AGENT], [OTHER_WORKSPACE, AGENT], [WORKSPACE, OTHER_WORKSPACE], ['x', WORKSPACE, AGENT], []];
    for (const names of subjects) {
      const certificate = certificateNamed(...names);
      const refusal = refusalOf(ownAttempt(bodyWith(certificate), certificate));
      assert.equal(refusal.reason, 'CertificateMismatch', names.join());
      assert.match(refusal.message, /names are not workspace/);
    }
  });

  it('refuses a signed workspace other than the one in the certificate', () => {
    const certificate = certificateNamed(WORKSPACE, AGENT);
    assert.equal(refusalOf(ownAttempt(bodyWith(certificate), certificate, undefined, OTHER_WORKSPACE)).reason, 'CertificateMismatch');
  });

  it('refuses a body that is no topology request, and a certificate that is none', () => {
    const certificate = certificateNamed(WORKSPACE, AGENT);
    for (const body of ['', '<x/>', 'garbage', bodyWith(certificate).replace(AGENT, 'no guid'), readCapture('005').body.toString()]) {
      assert.equal(refusalOf(ownAttempt(body, certificate)).reason, 'InvalidTopologyRequest');
    }
    const garbage = Buffer.from('no certificate');
    assert.equal(refusalOf(ownAttempt(bodyWith(garbage), garbage)).reason, 'CertificateMismatch');
  });

  it('never shows a key or a signature in its message', () => {
    const signature = headerOf(CAPTURE, 'authorization')?.split('; ')[1] ?? '';
    const refusals = [
      refusalOf(attemptOf(CAPTURE, { keysOf: () => [] })),
      refusalOf(attemptOf(CAPTURE, { now: 0 })),
      refusalOf(attemptOf(CAPTURE, { body: Buffer.alloc(1) })),
      refusalOf(attemptOf(CAPTURE, { peerCertificate: undefined })),
    ];
    for (const { message } of refusals) {
      assert.ok(!message.includes(signature));
      assert.ok(!message.includes(CAPTURED_SHARED_KEY.toString('base64')));
    }
  });
});
