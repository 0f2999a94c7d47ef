import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIGURATION_PATH, DIRECT_TOKEN_PATH } from '../../src/check-in/agent-configuration.ts';
import { EST_RENEW_PATH, EST_ROOTS_PATH } from '../../src/check-in/est-paths.ts';
import { REVOCATION_LIST_PATH } from '../../src/enrolment/est/revocation-list-plugin.ts';
import { type RequestService, serviceOf } from '../../src/intake/request-service.ts';
import {
  BLOB_ADDRESS_PATH,
  BLOB_NOTIFICATION_PATH,
  DIAGNOSTICS_PATH,
  RENEW_PATH,
  TELEMETRY_PATH,
  TOPOLOGY_PATH,
  UPLOAD_PATH,
} from '../../src/oms-protocol/paths.ts';
import { eventually } from '../support/eventually.ts';
import { connectTls, createIntakeRig, enrolAgent, readAll, send } from './rig.ts';

const ENVELOPE = '{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{"Message":"hello"}]}';

const PATHS: Readonly<Record<RequestService, readonly string[]>> = {
  data: [
    UPLOAD_PATH,
    UPLOAD_PATH.toLowerCase(),
    DIAGNOSTICS_PATH,
    BLOB_ADDRESS_PATH,
    BLOB_NOTIFICATION_PATH,
    '/blobs/1',
    '/api/logs',
    '/v1/logs',
    '/dataCollectionRules/dcr-1/streams/a',
  ],
  enrolment: [TOPOLOGY_PATH, RENEW_PATH, EST_ROOTS_PATH, EST_RENEW_PATH, REVOCATION_LIST_PATH],
  'sign-in': ['/common/oauth2/v2.0/token', '/any/v2.0/.well-known/openid-configuration', '/common/discovery/instance'],
  'check-in': [TELEMETRY_PATH, CONFIGURATION_PATH, DIRECT_TOKEN_PATH],
  other: ['/', '', '/health/ready', '/nowhere', '/agents', '/x/blobs', `/${'x'.repeat(10_000)}`, '/constructor'],
};

describe('requests on the agents’ listener', () => {
  for (const [service, paths] of Object.entries(PATHS)) {
    it(`are told apart by their path: ${service}`, () =>
      assert.deepEqual(
        paths.map(serviceOf),
        paths.map(() => service),
      ));
  }

  it('are each counted once with what they were answered', async () => {
    await using rig = await createIntakeRig();
    const { identity } = await enrolAgent(rig);
    const port = await rig.intake.start();
    const upload = { path: UPLOAD_PATH, body: ENVELOPE };
    for (const from of [identity, identity, undefined]) await send(port, from, upload);
    await send(port, identity, { path: '/nowhere' });
    await send(port, identity, { method: 'GET', path: EST_ROOTS_PATH });
    rig.answer({ outcome: 'full', message: 'There is no room.' });
    await send(port, identity, { ...upload, body: ENVELOPE.replace('hello', 'again') });
    const figure = (service: RequestService, code: number): Promise<number> => rig.figure(`relay_intake_requests_total{service="${service}",code="${code}"}`);
    // The sender has its answer a moment before it is counted.
    await eventually('the last one is counted', async () => (await figure('data', 503)) === 1);
    assert.deepEqual(await Promise.all([figure('data', 200), figure('data', 403), figure('data', 503)]), [2, 1, 1]);
    assert.deepEqual(await Promise.all([figure('other', 404), figure('enrolment', 200)]), [1, 1]);
  });

  it('are counted too when they are no HTTP, or their sender went away', async () => {
    await using rig = await createIntakeRig();
    const { identity } = await enrolAgent(rig);
    const port = await rig.intake.start();
    const broken = await connectTls(port, identity);
    broken.write('no http at all\r\n\r\n');
    assert.match(await readAll(broken), /^HTTP\/1\.1 400/);
    assert.equal(await rig.figure('relay_intake_requests_total{service="other",code="400"}'), 1);
    const leaving = await connectTls(port, identity);
    leaving.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{`, () => leaving.destroy());
    await eventually('it is counted', async () => (await rig.figure('relay_intake_requests_total{service="data",code="499"}')) === 1);
  });
});
