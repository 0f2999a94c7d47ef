// The libraries that Microsoft gives out, against the stand-in.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClientCertificateCredential, ClientSecretCredential } from '@azure/identity';
import { LogsIngestionClient } from '@azure/monitor-ingestion';
import { BANK, type Rig } from '../../rig.ts';
import { APP, appCertificate, declarationOf, RULE, SCOPE, SECRET, startCloud, TENANT } from './cloud.ts';

interface ClientOptions {
  readonly authorityHost: string;
  readonly disableInstanceDiscovery: boolean;
  readonly tlsOptions: { readonly ca: string };
  readonly retryOptions: { readonly maxRetries: number };
}

function clientOptions({ listening }: Rig): ClientOptions {
  return { authorityHost: listening.url, disableInstanceDiscovery: true, tlsOptions: { ca: listening.rootPem }, retryOptions: { maxRetries: 0 } };
}

function clientOf(rig: Rig): LogsIngestionClient {
  return new LogsIngestionClient(rig.listening.url, new ClientSecretCredential(TENANT, APP, SECRET, clientOptions(rig)), clientOptions(rig));
}

test('LogsIngestionClient signs in with a secret and its records become rows', async (t) => {
  const rig = await startCloud(t);
  const time = new Date().toISOString();
  await clientOf(rig).upload(RULE, 'Custom-Syslog', [{ TimeGenerated: time, HostName: 'web01', SyslogMessage: 'hello', Undeclared: 1 }]);
  const rows = await rig.local.rows(BANK, 'Syslog');
  assert.deepEqual(rows, [{ TimeGenerated: time, HostName: 'web01', SyslogMessage: 'hello', _TimeReceived: rows[0]?._TimeReceived }]);
  assert.equal(rig.local.calls(BANK)[0]?.clientId, APP);
});

test('LogsIngestionClient splits what is too large, and all of it arrives once', async (t) => {
  const rig = await startCloud(t);
  const records = Array.from({ length: 300 }, (_, at) => ({ HostName: `web${at}`, SyslogMessage: 'x'.repeat(10_000) }));
  await clientOf(rig).upload(RULE, 'Custom-Syslog', records);
  const rows = await rig.local.rows(BANK, 'Syslog');
  assert.deepEqual([rows.length, new Set(rows.map(({ HostName }) => HostName)).size], [300, 300]);
  assert.ok(rig.local.calls(BANK).length > 1);
});

test('LogsIngestionClient waits as Retry-After says, and reads the code of a refusal', async (t) => {
  const rig = await startCloud(t);
  const client = new LogsIngestionClient(rig.listening.url, new ClientSecretCredential(TENANT, APP, SECRET, clientOptions(rig)), {
    ...clientOptions(rig),
    retryOptions: { maxRetries: 1 },
  });
  await rig.local.setFault({ mode: 'too-many-requests', retryAfterS: 0, path: 'ingestion', times: 1 });
  await client.upload(RULE, 'Custom-Syslog', [{ HostName: 'a' }]);
  assert.equal((await rig.local.rows(BANK, 'Syslog')).length, 1);
  await assert.rejects(
    client.upload(RULE, 'Custom-Nothing', [{ HostName: 'b' }]),
    ({ errors }: { errors: { cause: { statusCode: number; code: string } }[] }) => {
      assert.deepEqual([errors[0]?.cause.statusCode, errors[0]?.cause.code], [404, 'NotFound']);
      return true;
    },
  );
});

test('ClientCertificateCredential gets a token for a registered certificate, and none for another', async (t) => {
  const [registered, other] = [appCertificate(), appCertificate()];
  const rig = await startCloud(t, declarationOf({}, { apps: [{ clientId: APP, certificates: [registered.certificate] }] }));
  const path = join(rig.dataFolder, 'app.pem');
  for (const [pair, expected] of [
    [registered, 'token'],
    [other, 'AADSTS700027'],
  ] as const) {
    await writeFile(path, `${pair.privateKey}\n${pair.certificate}`);
    const credential = new ClientCertificateCredential(TENANT, APP, { certificatePath: path }, clientOptions(rig));
    const answer = await credential.getToken(SCOPE).then(
      () => 'token',
      (error: Error) => /AADSTS\d+/.exec(error.message)?.[0] ?? error.message,
    );
    assert.equal(answer, expected);
  }
});
