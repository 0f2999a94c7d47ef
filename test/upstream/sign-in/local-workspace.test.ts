import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { WrittenDeclaration } from '../../../src/local-workspace/intake/ingestion/declaration.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createSignIn } from '../../../src/upstream/sign-in/sign-in.ts';
import type { SignInOptions } from '../../../src/workspace/sign-in-options.ts';
import { APP, appCertificate, declarationOf, SECRET, startCloud, TENANT, upload } from '../../local-workspace/intake/ingestion/cloud.ts';
import type { Rig } from '../../local-workspace/rig.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function signInTo(cloud: Rig, content: string, options: Partial<SignInOptions> = {}): Promise<string> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'credential');
  await writeFile(file, content, { mode: 0o600 });
  const { url: authority, rootPath: trustFile } = cloud.listening;
  const way = { method: 'client-secret', cloud: 'public', tenantId: TENANT, clientId: APP, authority, trustFile } as const;
  const signIn = createSignIn({ ...way, secretFile: file, certificateFile: file, ...options }, { clock: createManualClock(), log: silentLogger });
  try {
    const found = await signIn.token();
    return found.outcome === 'token' ? found.token : `none: ${found.reason}`;
  } finally {
    signIn.close();
  }
}

async function takes(cloud: Rig, token: string): Promise<number> {
  return (await upload(cloud, [{ HostName: 'web-1' }], { token })).status;
}

function apps(t: TestContext, app: Partial<WrittenDeclaration['apps'] extends readonly (infer A)[] | undefined ? A : never>): Promise<Rig> {
  return startCloud(t, declarationOf({}, { apps: [{ clientId: APP, ...app }] }));
}

describe('signing in to a local workspace', () => {
  it('gets tokens that its Logs Ingestion takes, by secret and by certificate', async (t) => {
    const { certificate, privateKey } = appCertificate();
    const cloud = await apps(t, { secrets: [SECRET], certificates: [certificate] });
    assert.equal(await takes(cloud, await signInTo(cloud, SECRET)), 204);
    assert.equal(await takes(cloud, await signInTo(cloud, `${privateKey}\n${certificate}`, { method: 'client-certificate' })), 204);
  });

  it('says what is wrong in words', async (t) => {
    const cloud = await apps(t, { secrets: [{ value: SECRET, notAfter: '2020-01-01T00:00:00Z' }] });
    assert.match(await signInTo(cloud, SECRET), /the secret has expired.*AADSTS7000222/);
    assert.match(await signInTo(cloud, 'wrong'), /the secret is wrong.*AADSTS7000215/);
    assert.match(await signInTo(cloud, SECRET, { clientId: TENANT }), /there is no application.*AADSTS700016/);
    assert.match(await signInTo(cloud, SECRET, { tenantId: APP }), /there is no tenant.*AADSTS90002/);
  });
});
