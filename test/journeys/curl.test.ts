import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { eventually } from '../support/eventually.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

const run = promisify(execFile);
const STATUS = '\n%{http_code}';

interface Answer {
  readonly status: string | undefined;
  readonly text: string | undefined;
}

/** Uploads a file by curl, with further arguments. */
async function curl({ relay }: Site, file: string, ...more: readonly string[]): Promise<Answer> {
  const address = `https://localhost:${relay.port()}${UPLOAD_PATH}`;
  const { stdout } = await run('curl', [
    '--silent',
    '--show-error',
    '--cacert',
    relay.rootFile,
    '--data-binary',
    `@${file}`,
    '--write-out',
    STATUS,
    ...more,
    address,
  ]);
  const [text, status] = stdout.split('\n');
  return { status, text };
}

function envelope(message: string): string {
  return JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: [{ Host: 'curl', Message: message }] });
}

async function arrived(site: Site, message: string): Promise<boolean> {
  const { dataFolder } = site.upstream();
  const out = await runWell(['local-workspace', 'records', '--data', dataFolder, '--workspace', BANK, '--where', message, '--json']);
  return (JSON.parse(out) as unknown[]).length === 1;
}

test('curl with an enrolled certificate uploads records that the local workspace then shows', async () => {
  await using site = await startSite();
  const { relay, folder } = site;
  const agentFolder = join(folder, 'agent');
  const keyFile = join(folder, 'enrolment.key');
  await runWell(['enrolment-key', 'create', '--config', relay.configFile, '--workspace', BANK, '--name', 'curl', '--out', keyFile]);
  const address = `https://localhost:${relay.port()}`;
  await runWell(['agent', 'enrol', '--relay', address, '--workspace', BANK, '--key-file', keyFile, '--trust', relay.rootFile, '--data', agentFolder]);
  const certificate = ['--cert', join(agentFolder, 'agent.pem'), '--key', join(agentFolder, 'agent.key')];

  const plain = join(folder, 'plain.json');
  await writeFile(plain, envelope('sent as it is'));
  assert.equal((await curl(site, plain, ...certificate)).status, '200');
  const packed = join(folder, 'packed.json.gz');
  await writeFile(packed, gzipSync(envelope('sent with gzip')));
  assert.equal((await curl(site, packed, ...certificate, '--header', 'Content-Encoding: gzip')).status, '200');

  await eventually('both are in the workspace', async () => (await arrived(site, 'sent as it is')) && (await arrived(site, 'sent with gzip')));
});

test('curl without a certificate, or with one that nobody enrolled, gets 403 and the reason, and nothing arrives', async () => {
  await using site = await startSite();
  const file = join(site.folder, 'plain.json');
  await writeFile(file, envelope('never to arrive'));
  const bare = await curl(site, file);
  assert.equal(bare.status, '403');
  assert.equal((JSON.parse(bare.text ?? '') as { error: { code: string } }).error.code, 'relay.agent.no-certificate');

  const [certificate, key] = [join(site.folder, 'stranger.pem'), join(site.folder, 'stranger.key')];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${BANK}`];
  await run('openssl', [...made, '-keyout', key, '-out', certificate]);
  const stranger = await curl(site, file, '--cert', certificate, '--key', key);
  assert.equal(stranger.status, '403');
  assert.match(stranger.text ?? '', /relay\.agent\.unknown-certificate.*[Ee]nrol/);
  assert.equal(site.upstream().local.count().length, 0);
});
