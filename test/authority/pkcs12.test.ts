import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { openAuthority } from '../../src/authority/authority.ts';
import { createPkcs12 } from '../../src/authority/pkcs12.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const WORKSPACE = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
const AGENT = parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f');
const PASSWORD = 'correct horse';

const KEYS: readonly [string, () => KeyObject][] = [
  ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ['EC', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
];

async function makeFile(folder: string, privateKey: KeyObject): Promise<{ path: string; certificate: Buffer; root: string }> {
  const authority = await openAuthority(join(folder, 'authority'), Date.now);
  const { der } = authority.issueAgent({ workspaceId: WORKSPACE, agentId: AGENT, publicKey: createPublicKey(privateKey), lifeMs: 90 * 86_400_000 });
  const path = join(folder, 'machine.p12');
  const chain = authority.roots().trusted.map(fromPem);
  await writeFile(path, await createPkcs12({ privateKey, certificate: der, chain, name: 'db01 (Zürich)', password: PASSWORD }));
  await writeFile(join(folder, 'password'), PASSWORD);
  return { path, certificate: der, root: authority.root };
}

describe('a PKCS#12 file', () => {
  for (const [kind, makeKey] of KEYS) {
    it(`with an ${kind} key is read by openssl: key, certificate and root, sealed by AES-256 and many rounds`, async () => {
      await using folder = await temporaryFolder();
      const privateKey = makeKey();
      const { path, certificate, root } = await makeFile(folder.path, privateKey);
      const password = `file:${join(folder.path, 'password')}`;

      const { stderr } = await run('openssl', ['pkcs12', '-info', '-in', path, '-passin', password, '-noout']);
      assert.match(stderr, /MAC: sha256, Iteration 100000/);
      assert.equal(stderr.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256/g)?.length, 2);

      const { stdout: key } = await run('openssl', ['pkcs12', '-in', path, '-passin', password, '-nocerts', '-nodes']);
      assert.ok(createPrivateKey(key.slice(key.indexOf('-----BEGIN'))).equals(privateKey));
      const { stdout: mine } = await run('openssl', ['pkcs12', '-in', path, '-passin', password, '-clcerts', '-nokeys']);
      assert.ok(new X509Certificate(mine.slice(mine.indexOf('-----BEGIN'))).raw.equals(certificate));
      const { stdout: others } = await run('openssl', ['pkcs12', '-in', path, '-passin', password, '-cacerts', '-nokeys']);
      assert.ok(new X509Certificate(others.slice(others.indexOf('-----BEGIN'))).raw.equals(fromPem(root)));
    });
  }

  it('is not opened by another password', async () => {
    await using folder = await temporaryFolder();
    const { path } = await makeFile(folder.path, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    await assert.rejects(run('openssl', ['pkcs12', '-in', path, '-passin', 'pass:another one', '-noout']), /Mac verify error|invalid password/);
  });

  it('is not made with a password that is short or that programs would read differently', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const password of ['short', 'pässwörter', '']) {
      const made = createPkcs12({ privateKey, certificate: Buffer.alloc(1), chain: [], name: 'x', password });
      await assert.rejects(made, (error: Error) => error.message.includes('printable ASCII') && (password === '' || !error.message.includes(password)));
    }
  });
});
