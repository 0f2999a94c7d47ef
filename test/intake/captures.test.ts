import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { fingerprintOf, fromPem } from '../../src/authority/x509.ts';
import { readTopologyReply } from '../../src/oms-protocol/topology-reply.ts';
import { writeRenewalRequest } from '../../src/oms-protocol/topology-request.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import {
  CAPTURED_AGENT,
  CAPTURED_SHARED_KEY,
  CAPTURED_WORKSPACE,
  certificateIn,
  headersOf,
  type OmsCapture,
  readCapture,
  readCaptures,
} from '../support/oms-captures.ts';
import { createIntakeRig, enrolAgent, type IntakeRig } from './rig.ts';

const WORKSPACE = parseWorkspaceId(CAPTURED_WORKSPACE);
const CERTIFICATES = new Map(['001', '005'].map((number) => certificateIn(readCapture(number))).map((der) => [fingerprintOf(der) as string, der]));
const DAY_MS = 86_400_000;

interface CaptureRig extends IntakeRig {
  /** Sends a capture at its own time with its own certificate; `change` sends something else instead. */
  replay(capture: OmsCapture, change?: { url?: string; body?: Buffer; headers?: Record<string, string>; certificate?: Buffer }): Promise<Reply>;
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function createCaptureRig(approve: 'none' | 'all' = 'all'): Promise<CaptureRig> {
  let presented: Buffer | undefined;
  const rig = await createIntakeRig({ workspaceId: WORKSPACE, now: readCapture('001').receivedAt, approve, peer: () => presented });
  rig.group.enrolmentKeys.create({ name: 'site', workspaceId: WORKSPACE, key: CAPTURED_SHARED_KEY });
  return {
    ...rig,
    async replay(capture, { url = capture.url, body = capture.body, headers = headersOf(capture), certificate } = {}) {
      rig.clock.advance(Math.max(0, capture.receivedAt - rig.clock.now()));
      presented = certificate ?? CERTIFICATES.get(capture.tls.clientCertificate?.fingerprint ?? '');
      const { statusCode, payload, headers: answered } = await rig.intake.hapi.inject({ method: capture.method, url, headers, payload: body });
      return { status: statusCode, text: payload, headers: answered };
    },
  };
}

describe("the Linux agent's requests, as it sent them", () => {
  it('are answered, in their order, as the agent expects, and every upload is kept byte for byte', async () => {
    await using rig = await createCaptureRig();
    for (const capture of readCaptures()) {
      if (capture.number >= '018' && capture.number <= '021') continue;
      const { status, text } = await rig.replay(capture);
      assert.equal(status, 200, `${capture.number}: ${text}`);
      if (!capture.url.endsWith('LinuxAgentTopologyRequest')) continue;
      assert.deepEqual(
        readTopologyReply(text),
        {
          renewalAddress: `https://${CAPTURED_WORKSPACE}.oms.relay.test/ConfigurationService.Svc/RenewCertificate`,
          renewCertificate: false,
          topologyIntervalS: 1200,
        },
        capture.number,
      );
      assert.doesNotMatch(text, /\n/);
    }

    const uploads = readCaptures().filter(({ number }) => (number >= '009' && number <= '017') || number === '022');
    assert.deepEqual(
      rig.kept.map(({ dataType, solution, kind, origin }) => [dataType, solution, kind, origin.service, origin.encoding]),
      [
        ['DemoLog', 'CustomLog', 'Event', 'operational-data', 'deflate'],
        ['DIAGNOSTICS', 'Diagnostics', 'Event', 'diagnostics', 'deflate'],
        ['OPERATION_BLOB', 'LogManagement', 'Event', 'operational-data', 'deflate'],
        ['LINUX_PERF_BLOB', 'LogManagement', 'Performance', 'operational-data', 'deflate'],
        ['SECURITY_CEF_BLOB', 'Security', 'Event', 'operational-data', 'deflate'],
        ['LINUX_SYSLOGS_BLOB', 'LOGMANAGEMENT', 'Event', 'operational-data', 'deflate'],
        ['DEMO_A_BLOB', 'LogManagement', 'Event', 'operational-data', 'deflate'],
        ['HEALTH_ASSESSMENT_BLOB', 'LogManagement', 'State', 'operational-data', 'deflate'],
      ],
    );
    for (const [at, { body, workspaceId, agentId }] of rig.kept.entries()) {
      assert.ok(uploads[at]?.body.equals(body), uploads[at]?.number);
      assert.deepEqual([workspaceId, agentId], [CAPTURED_WORKSPACE, CAPTURED_AGENT]);
    }
    assert.deepEqual(rig.kept[0]?.origin.headers['log-type'], 'DemoLog');
    assert.deepEqual(rig.aside, []);
    assert.deepEqual(rig.lines('warn', 'error'), []);
  });

  it('that upload a custom log file end as custom records of its table, one a line', async () => {
    await using rig = await createCaptureRig();
    await rig.replay(readCapture('001'));
    await rig.replay(readCapture('005'));
    const address = await rig.replay(readCapture('018'));
    assert.equal(address.status, 200);
    const { Uri: uri } = JSON.parse(address.text) as { Uri: string };
    assert.match(uri, /^https:\/\/[^/]+\/blobs\/[^?]+\?sig=/);
    for (const number of ['019', '020']) {
      const capture = readCapture(number);
      const { pathname, search } = new URL(uri);
      const put = await rig.replay(capture, { url: `${pathname}${search}&${capture.url.slice(capture.url.indexOf('comp='))}` });
      assert.equal(put.status, 201, put.text);
      assert.match(String(put.headers['etag']), /^".+"$/);
    }
    assert.equal((await rig.replay(readCapture('021'))).status, 200);

    const [batch] = rig.kept;
    assert.deepEqual([rig.kept.length, batch?.dataType, batch?.solution, batch?.origin.headers], [1, 'Demo', 'CustomLog', { 'log-type': 'Demo' }]);
    const lines = readCapture('019').body.toString().split('\r\n').filter(Boolean);
    const records = JSON.parse(String(batch?.body)) as { RawData: string; FilePath: string }[];
    assert.deepEqual(
      records.map(({ RawData }) => RawData),
      lines,
    );
    assert.ok(records.every(({ FilePath }) => FilePath === headersOf(readCapture('020'))['x-ms-meta-filepath']));
  });
});

describe('onboarding', () => {
  it('with a signature that is one byte off is refused with 403 and a one-line reason', async () => {
    await using rig = await createCaptureRig();
    const capture = readCapture('001');
    const headers = headersOf(capture);
    const signature = headers['authorization'] ?? '';
    const at = signature.length - 10;
    const off = signature.slice(0, at) + (signature[at] === 'A' ? 'B' : 'A') + signature.slice(at + 1);
    const { status, text } = await rig.replay(capture, { headers: { ...headers, authorization: off } });
    assert.equal(status, 403);
    assert.match(text, /^[^\n]*<Reason>InvalidWorkspaceKey<\/Reason>[^\n]*$/);
    assert.deepEqual(rig.group.registry.list(), []);
    assert.equal(await rig.figure('relay_enrolments_total{outcome="InvalidWorkspaceKey"}'), 1);
    assert.deepEqual(
      rig.lines().map(({ level, reason }) => [level, reason]),
      [['warn', 'InvalidWorkspaceKey']],
    );
  });

  it('with a changed body, an old date or another TLS certificate is refused with its own reason', async () => {
    const capture = readCapture('001');
    const body = Buffer.from(capture.body.toString().replace('x64', 'x32'));
    const cases = [
      { reason: 'ContentHashMismatch', change: { body }, lateMs: 0 },
      { reason: 'StaleDate', change: {}, lateMs: 16 * 60_000 },
      { reason: 'CertificateMismatch', change: { certificate: certificateIn(readCapture('005')) }, lateMs: 0 },
    ];
    for (const { reason, change, lateMs } of cases) {
      await using rig = await createCaptureRig();
      rig.clock.advance(lateMs);
      const { status, text } = await rig.replay(capture, change);
      assert.equal(status, 403, reason);
      assert.ok(text.includes(`<Reason>${reason}</Reason>`), text);
    }
  });

  it('with a key that was revoked is refused', async () => {
    await using rig = await createCaptureRig();
    rig.group.enrolmentKeys.revoke('site');
    assert.match((await rig.replay(readCapture('001'))).text, /InvalidWorkspaceKey/);
  });

  it('again keeps the state of the agent: approved stays approved, suspended stays suspended', async () => {
    await using rig = await createCaptureRig('none');
    const state = (): unknown => rig.group.registry.list()[0]?.state;
    await rig.replay(readCapture('001'));
    assert.equal(state(), 'pending');
    for (const decided of ['approved', 'suspended'] as const) {
      rig.group.registry.setState(WORKSPACE, rig.group.registry.list()[0]?.agentId ?? assert.fail(), decided, 'by the test');
      assert.equal((await rig.replay(readCapture('001'))).status, 200);
      assert.equal(state(), decided);
    }
    assert.equal(rig.group.registry.list().length, 1);
    assert.equal(rig.group.enrolmentKeys.list()[0]?.uses, 3);
  });
});

describe('an agent', () => {
  it('that waits for approval has its topology request answered and its data refused with the reason', async () => {
    await using rig = await createCaptureRig('none');
    await rig.replay(readCapture('001'));
    assert.equal((await rig.replay(readCapture('002'))).status, 200);
    const refused = await rig.replay(readCapture('016'), { certificate: certificateIn(readCapture('001')) });
    assert.equal(refused.status, 403);
    assert.match(refused.text, /"relay\.agent\.pending".*relay agents approve 7d54bebf/);
    assert.deepEqual(rig.kept, []);
    rig.group.registry.setState(WORKSPACE, rig.group.registry.list()[0]?.agentId ?? assert.fail(), 'approved', 'by the test');
    assert.equal((await rig.replay(readCapture('016'), { certificate: certificateIn(readCapture('001')) })).status, 200);
  });

  it('that is suspended is refused everything from its next request on', async () => {
    await using rig = await createCaptureRig();
    await rig.replay(readCapture('001'));
    rig.group.registry.setState(WORKSPACE, rig.group.registry.list()[0]?.agentId ?? assert.fail(), 'suspended', 'stolen laptop');
    for (const number of ['002', '003', '005', '016']) {
      const { status, text } = await rig.replay(readCapture(number), { certificate: certificateIn(readCapture('001')) });
      assert.equal(status, 403, number);
      assert.match(text, /suspended: stolen laptop/);
    }
    assert.deepEqual(
      rig.lines('warn').map(({ msg }) => /suspended/.test(msg)),
      [true, true, true, true],
    );
  });

  it('is asked to renew at two thirds of 90 days, and not again by the certificate it renewed with', async () => {
    await using rig = await createCaptureRig();
    await rig.replay(readCapture('001'));
    rig.clock.advance(61 * DAY_MS);
    const old = certificateIn(readCapture('001'));
    const asked = async (certificate: Buffer): Promise<unknown> =>
      readTopologyReply((await rig.replay(readCapture('002'), { certificate })).text)?.renewCertificate;
    assert.equal(await asked(old), true);
    const renewed = fromPem((await createAgentIdentity(WORKSPACE, parseAgentId(CAPTURED_AGENT), rig.clock.now(), 365)).certificate);
    const { status } = await rig.replay(readCapture('005'), { certificate: old, body: Buffer.from(writeRenewalRequest(renewed)) });
    assert.equal(status, 200);
    assert.equal(await asked(renewed), false);
    assert.equal((await rig.replay(readCapture('016'), { certificate: old })).status, 200);
  });

  it('may use its old certificate for seven days after a renewal, and no longer', async () => {
    await using rig = await createCaptureRig();
    await rig.replay(readCapture('001'));
    await rig.replay(readCapture('005'));
    const old = { certificate: certificateIn(readCapture('001')) };
    rig.clock.advance(7 * DAY_MS - 60_000);
    assert.equal((await rig.replay(readCapture('016'), old)).status, 200);
    rig.clock.advance(120_000);
    const refused = await rig.replay(readCapture('016'), old);
    assert.equal(refused.status, 403);
    assert.match(refused.text, /relay\.agent\.certificate-replaced/);
    assert.equal((await rig.replay(readCapture('016'))).status, 200);
  });

  it('cannot renew under the name of another agent, nor into its certificate', async () => {
    await using rig = await createCaptureRig();
    await rig.replay(readCapture('001'));
    const foreign = await enrolAgent(rig);
    const { status, text } = await rig.replay(readCapture('005'), { certificate: foreign.der });
    assert.equal(status, 403);
    assert.match(text, /<Reason>CertificateMismatch<\/Reason>/);
    const mine = certificateIn(readCapture('005')).toString('base64');
    const body = Buffer.from(
      readCapture('005')
        .body.toString()
        .replace(/<NewCertificate>[^<]*/, `<NewCertificate>${foreign.der.toString('base64')}`),
    );
    assert.ok(!body.includes(mine));
    assert.equal((await rig.replay(readCapture('005'), { body })).status, 403);
    assert.equal(rig.group.registry.find(fingerprintOf(foreign.der))?.agent.agentId, foreign.agentId);
  });

  it('that reports itself under another GUID is refused', async () => {
    await using rig = await createCaptureRig();
    await rig.replay(readCapture('001'));
    const body = Buffer.from(readCapture('002').body.toString().replace(CAPTURED_AGENT, '7d54bebf-7428-4660-a7e5-ba4b04f11440'));
    const { status, text } = await rig.replay(readCapture('002'), { body });
    assert.equal(status, 400);
    assert.match(text, /<Reason>InvalidTopologyRequest<\/Reason>/);
  });
});
