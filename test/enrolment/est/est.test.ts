import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Fingerprint } from '../../../src/authority/x509.ts';
import { UPLOAD_PATH } from '../../../src/oms-protocol/paths.ts';
import { BANK, codeIn } from '../../intake/rig.ts';
import type { EstClient } from './client.ts';
import { createEstRig } from './est-rig.ts';

const upload = (client: EstClient): ReturnType<EstClient['curl']> => {
  const body = JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: [{ Message: 'by EST' }] });
  return client.curl(UPLOAD_PATH, '--cert', client.certificateFile, '--key', client.keyFile, '--data', body);
};

const KINDS = [
  ['EC P-256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
  ['EC P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384']],
  ['RSA 2048', ['-newkey', 'rsa:2048']],
] as const;

describe('EST by openssl and curl', () => {
  for (const [kind, args] of KINDS) {
    it(`enrols a machine with a key of ${kind}, whose certificate then uploads`, async () => {
      await using est = await createEstRig();
      const client = est.client('web01');
      await client.makeRequest(...args);
      const answer = await client.enrol('web01', est.secret);
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.headers, /content-type: application\/pkcs7-mime; smime-type=certs-only\r/);
      assert.match(answer.headers, /content-transfer-encoding: base64\r/);
      execFileSync('openssl', ['verify', '-CAfile', est.rootFile, '-purpose', 'sslclient', client.certificateFile]);
      assert.equal((await upload(client)).status, 200);
      assert.equal(est.rig.kept.length, 1);
      assert.equal(est.rig.group.registry.list()[0]?.hostName, 'web01');
    });
  }

  it('gives a machine its own name whatever the signing request says', async () => {
    await using est = await createEstRig();
    const other = est.client('other-agent');
    await other.makeRequest();
    await other.enrol('other-agent', est.secret);
    const client = est.client('web01');
    await client.makeRequest('-subj', '/CN=other-agent/O=Bank', '-addext', 'subjectAltName=DNS:other-agent', '-addext', 'basicConstraints=critical,CA:TRUE');
    assert.equal((await client.enrol('web01', est.secret)).status, 200);
    const agent = est.rig.group.registry.list().find(({ hostName }) => hostName === 'web01');
    assert.equal(client.describe('-subject').trim(), `subject=CN = ${BANK}, CN = ${agent?.agentId}, OU = Relay Agent, O = Relay`);
    const text = client.describe('-text');
    assert.doesNotMatch(text, /CA:TRUE|other-agent|Subject Alternative Name/);
    assert.match(text, /TLS Web Client Authentication/);
  });

  it('lets a machine wait for approval, then gives it its certificate', async () => {
    await using est = await createEstRig({ approve: 'none' });
    const client = est.client('web01');
    await client.makeRequest();
    for (const attempt of [1, 2]) {
      const answer = await client.enrol('web01', est.secret);
      assert.equal(answer.status, 202, `attempt ${attempt}: ${answer.text}`);
      assert.match(answer.headers, /retry-after: 60\r/);
      assert.match(answer.text, /relay agents approve/);
    }
    const [agent, second] = est.rig.group.registry.list();
    assert.ok(agent && !second, 'the same request is the same agent');
    est.rig.group.registry.setState(BANK, agent.agentId, 'approved', 'approved by an operator');
    assert.equal((await client.enrol('web01', est.secret)).status, 200);
    assert.equal((await upload(client)).status, 200);
    assert.equal(est.rig.entries.filter(({ action }) => action === 'agent.enrol').length, 2, 'entered when it came, and when it got its certificate');
  });

  it('renews with the certificate at hand; the name stays, the serial does not', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    await client.makeRequest();
    await client.enrol('web01', est.secret);
    const before = [client.describe('-subject'), client.describe('-serial')];
    assert.equal((await client.renew()).status, 200);
    assert.equal(client.describe('-subject'), before[0]);
    assert.notEqual(client.describe('-serial'), before[1]);
    assert.equal((await upload(client)).status, 200);
    assert.ok(est.rig.entries.some(({ action, result }) => action === 'agent.renew' && result === 'done'));
  });

  it('takes plain DER and PEM in place of base64', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    await client.makeRequest();
    const der = join(est.folder, 'web01.der');
    assert.equal((await client.enrol('web01', est.secret, der)).status, 200);
    const pem = join(est.folder, 'pem');
    execFileSync('openssl', ['req', '-inform', 'DER', '-in', der, '-out', pem]);
    assert.equal((await client.enrol('web01', est.secret, pem)).status, 200);
  });

  it('shows its roots and what a request should look like to anybody', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    const roots = await client.curl('/.well-known/est/cacerts');
    const pem = execFileSync('openssl', ['pkcs7', '-inform', 'DER', '-print_certs'], { input: Buffer.from(roots.text, 'base64') }).toString();
    assert.ok(pem.includes((await readFile(est.rootFile, 'utf8')).trim()));
    const attributes = await client.curl('/.well-known/est/csrattrs');
    assert.equal(attributes.status, 200);
    const parsed = execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: Buffer.from(attributes.text, 'base64') }).toString();
    assert.match(parsed, /prime256v1/);
  });
});

describe('EST refuses', () => {
  it('a suspended agent at its next request over a connection that is open already', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    await client.makeRequest();
    await client.enrol('web01', est.secret);
    const [cert, key] = [await readFile(client.certificateFile), await readFile(client.keyFile)];
    const keepAlive = new HttpsAgent({ keepAlive: true, maxSockets: 1, cert, key, ca: est.rig.rootPem });
    const body = execFileSync('cat', [join(est.folder, 'web01.csr')]);
    const renew = async (): Promise<{ status: number | undefined; text: string; reused: boolean }> => {
      const outgoing = httpsRequest({ host: 'localhost', port: est.port, method: 'POST', path: '/.well-known/est/simplereenroll', agent: keepAlive });
      outgoing.end(body);
      const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
      return { status: response.statusCode, text: Buffer.concat(await response.toArray()).toString(), reused: outgoing.reusedSocket };
    };
    assert.equal((await renew()).status, 200);
    const agent = est.rig.group.registry.list()[0];
    assert.ok(agent);
    est.rig.group.registry.setState(BANK, agent.agentId, 'suspended', 'stolen');
    const refused = await renew();
    keepAlive.destroy();
    assert.equal(refused.status, 403);
    assert.equal(codeIn(refused.text), 'relay.agent.suspended');
    assert.ok(refused.reused, 'over the same connection');
    const again = await client.enrol('web01', est.secret);
    assert.equal(codeIn(again.text), 'relay.agent.suspended', 'the enrolment key does not bring it back');
  });

  it('a wrong key, a wrong token, a key of a revoked name and no password with one and the same answer', async () => {
    await using est = await createEstRig();
    const revoked = est.rig.group.enrolmentKeys.create({ name: 'old', workspaceId: BANK }).secret;
    est.rig.group.enrolmentKeys.revoke('old');
    const client = est.client('web01');
    await client.makeRequest();
    const answers = [];
    for (const password of [Buffer.alloc(64, 7).toString('base64'), 'no-token', revoked, '']) answers.push(await client.enrol('web01', password));
    answers.push(await client.curl('/.well-known/est/simpleenroll', '--data', 'x'));
    for (const answer of answers) {
      assert.equal(answer.status, 401);
      assert.match(answer.headers, /www-authenticate: basic realm="relay"/);
      assert.equal(answer.text, answers[0]?.text);
    }
    assert.equal(est.rig.group.registry.list().length, 0);
    const [entry] = est.rig.entries;
    assert.deepEqual(entry && [entry.action, entry.result, entry.actor.name], ['sign-in.fail', 'refused', 'unknown']);
    assert.ok(!JSON.stringify([est.rig.entries, est.rig.lines()]).includes(revoked), 'nothing secret is written down');
  });

  it('an address that brings bad credentials again and again, right ones included, for a minute', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    await client.makeRequest();
    for (let attempt = 0; attempt < 10; attempt++) assert.equal((await client.enrol('web01', 'wrong')).status, 401);
    const refused = await client.enrol('web01', est.secret);
    assert.equal(refused.status, 429);
    assert.match(refused.headers, /retry-after: \d+\r/);
    est.rig.clock.advance(60_000);
    assert.equal((await client.enrol('web01', est.secret)).status, 200);
  });

  it('a token that was used, and any token for another name than its own', async () => {
    await using est = await createEstRig({ approve: 'none' });
    const { secret } = est.rig.group.tokens.create({ workspaceId: BANK, agentName: 'web01', expiresAt: est.rig.clock.now() + 3_600_000 });
    const client = est.client('web01');
    await client.makeRequest();
    assert.equal((await client.enrol('web02', secret)).status, 401);
    assert.equal((await client.enrol('web01', secret)).status, 200, 'a token for a name approves it');
    assert.equal((await client.enrol('web01', secret)).status, 401, 'replayed');
    const thief = est.client('thief');
    await thief.makeRequest();
    assert.equal((await thief.enrol('web01', secret)).status, 401, 'replayed with another key');
  });

  it('a second key with a token whose agent still waits', async () => {
    await using est = await createEstRig({ approve: 'none' });
    const { secret } = est.rig.group.tokens.create({ workspaceId: BANK, expiresAt: est.rig.clock.now() + 3_600_000 });
    const [client, thief] = [est.client('web01'), est.client('thief')];
    await client.makeRequest();
    await thief.makeRequest();
    assert.equal((await client.enrol('web01', secret)).status, 202);
    assert.equal((await thief.enrol('thief', secret)).status, 401);
    const [agent] = est.rig.group.registry.list();
    assert.ok(agent);
    est.rig.group.registry.setState(BANK, agent.agentId, 'approved', 'approved by an operator');
    assert.equal((await client.enrol('web01', secret)).status, 200);
    assert.equal((await client.enrol('web01', secret)).status, 401, 'replayed');
  });

  it("another agent's name by enrolment key, and gives it by a token for that name", async () => {
    await using est = await createEstRig();
    const [first, second] = [est.client('first'), est.client('second')];
    await first.makeRequest();
    await second.makeRequest();
    assert.equal((await first.enrol('web01', est.secret)).status, 200);
    const [agent] = est.rig.group.registry.list();
    for (const name of ['web01', 'WEB01', agent?.agentId ?? '']) {
      const refused = await second.enrol(name, est.secret);
      assert.equal(refused.status, 403);
      assert.equal(codeIn(refused.text), 'relay.enrolment.name-taken');
      assert.match(refused.text, /relay enrolment-token create/);
    }
    const { secret } = est.rig.group.tokens.create({ workspaceId: BANK, agentName: 'web01', expiresAt: est.rig.clock.now() + 3_600_000 });
    assert.equal((await second.enrol('web01', secret)).status, 200);
    assert.equal(est.rig.group.registry.list().length, 1);
    assert.match(second.describe('-subject'), new RegExp(agent?.agentId ?? 'none'));
  });

  it('a signing request of 100 KB, one that is none, one for a weak key, and a name that is none', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    const large = join(est.folder, 'large');
    await writeFile(large, Buffer.alloc(100 * 1024, 'M'));
    const tooLarge = await client.enrol('web01', est.secret, large);
    assert.equal(tooLarge.status, 413);
    assert.equal(codeIn(tooLarge.text), 'relay.enrolment.too-large');
    const none = join(est.folder, 'none');
    await writeFile(none, 'MAAA');
    assert.equal((await client.enrol('web01', est.secret, none)).status, 400);
    await client.makeRequest('-newkey', 'rsa:1024');
    assert.match((await client.enrol('web01', est.secret)).text, /1024 bits; use 2048 to 4096/);
    await client.makeRequest();
    assert.equal((await client.enrol('web 01', est.secret)).status, 400);
    assert.equal(est.rig.group.registry.list().length, 0);
  });

  it('to renew for a stranger, without a certificate, and for an agent that waits', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    await client.makeRequest();
    const bare = await client.curl('/.well-known/est/simplereenroll', '--data-binary', '@/dev/null');
    assert.equal(codeIn(bare.text), 'relay.agent.no-certificate');
    execFileSync('openssl', ['req', '-x509', '-key', client.keyFile, '-days', '2', '-subj', `/CN=${BANK}`, '-out', client.certificateFile]);
    assert.equal(codeIn((await client.renew()).text), 'relay.agent.unknown-certificate');
    await client.enrol('web01', est.secret);
    const [agent] = est.rig.group.registry.list();
    assert.ok(agent);
    est.rig.group.registry.setState(BANK, agent.agentId, 'pending', 'waits again');
    assert.equal(codeIn((await client.renew()).text), 'relay.agent.pending');
  });

  it('an agent that goes on asking for certificates, after a hundred in a day', async () => {
    await using est = await createEstRig();
    const client = est.client('web01');
    await client.makeRequest();
    await client.enrol('web01', est.secret);
    const { rig } = est;
    const [agent] = rig.group.registry.list();
    assert.ok(agent);
    const { workspaceId, agentId } = agent;
    for (let count = 1; count < 100; count++) {
      const fingerprint = String(count).padStart(64, '0') as Fingerprint;
      rig.group.issued.note({ fingerprint, serial: String(count), issuer: fingerprint, workspaceId, agentId, notAfter: rig.clock.now() + 86_400_000 });
    }
    const refused = await client.renew();
    assert.equal(refused.status, 429);
    assert.equal(codeIn(refused.text), 'relay.enrolment.too-often');
    rig.clock.advance(86_400_001);
    assert.equal((await client.renew()).status, 200);
  });
});
