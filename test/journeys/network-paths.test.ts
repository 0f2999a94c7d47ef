import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, UPLOAD_HEADERS } from '../support/fleet.ts';
import type { Sections } from '../support/relay-process.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, type Site, startSite } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { namespaceFlags, whyNoNamespaces } from '../support/three-roads.ts';

const SCENARIO = fileURLToPath(new URL('network-paths-scenario.ts', import.meta.url));

test('data takes the road of the configuration and no other: it is cut and the data is held, it is back and the data is delivered', async (context) => {
  const obstacle = await whyNoNamespaces();
  if (obstacle !== undefined) return context.skip(`no network namespaces here (root and iproute2 are needed): ${obstacle}`);
  await using folder = await temporaryFolder();
  const { stderr } = await promisify(execFile)('unshare', [...namespaceFlags(), process.execPath, SCENARIO, folder.path], { timeout: 120_000 });
  assert.equal(stderr, '');
});

describe('a proxy with credentials', () => {
  const pathBy = (proxy: ConnectProxy, folder: string): Sections => {
    const [host, port] = proxy.address.split(':');
    return { kind: 'proxy', proxy: { host, port: Number(port), user: 'relay', passwordFile: join(folder, 'proxy.password') } };
  };
  const obstacle = async (site: Site): Promise<string | undefined> => {
    const upstream = (await site.relay.status()).cache.workspaces[0]?.upstream;
    return upstream && upstream.state !== 'awake' ? upstream.reason : undefined;
  };

  it('right: delivered through it; wrong: 407 is said and data is held; dead: the same; an environment that names another proxy has no say', async () => {
    await using folder = await temporaryFolder();
    const password = (text: string): Promise<void> => writeFile(join(folder.path, 'proxy.password'), text, { mode: 0o600 });
    await password('wrong');
    let proxy = await startConnectProxy();
    proxy.wants = 'relay:right';
    await using site = await startSite({
      path: pathBy(proxy, folder.path),
      launcher: () => ['env', 'HTTPS_PROXY=http://127.0.0.1:9', 'ALL_PROXY=http://127.0.0.1:9', 'NODE_USE_ENV_PROXY=1'],
    });
    const { local } = site.upstream();
    const [machine] = await site.machines(1);
    assert.ok(machine);
    let sent = 0;
    const post = async (): Promise<void> => {
      sent += 1;
      assert.equal((await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(machine.agentId, sent).body)).status, 200);
    };

    await post();
    await eventually('407 is said', async () => /proxy-credentials: The proxy .* answered 407/.test((await obstacle(site)) ?? ''));
    assert.match(await runWell(['status', '--socket', site.relay.socket]), /NOTHING IS SENT by the data path since .*407/);
    assert.equal(local.batchIds(BANK).length, 0);

    await password('right');
    await eventually('all is delivered', () => local.batchIds(BANK).length === sent);
    assert.match(
      await runWell(['status', '--socket', site.relay.socket]),
      /data by proxy: 127\.0\.0\.1 → proxy 127\.0\.0\.1:\d+ 127\.0\.0\.1 \(public\), verified/,
    );

    await proxy[Symbol.asyncDispose]();
    await post();
    await eventually('the dead proxy is said', async () => /proxy-unreachable: .*Nothing goes around it/.test((await obstacle(site)) ?? ''));
    assert.equal(local.batchIds(BANK).length, sent - 1);

    proxy = await startConnectProxy(Number(proxy.address.split(':')[1]));
    proxy.wants = 'relay:right';
    await eventually('all is delivered', () => local.batchIds(BANK).length === sent);
    const metrics = await (await fetch(`http://127.0.0.1:${(await site.relay.status()).metricsPort}/metrics`)).text();
    for (const reason of ['proxy-credentials', 'proxy-unreachable'])
      assert.match(metrics, new RegExp(`^relay_upstream_path_refused_total\\{.*path="data",reason="${reason}"\\} \\d+$`, 'm'));
    assert.match(metrics, /^relay_upstream_path_verified_timestamp_seconds\{.*path="data"\} \d{10}/m);
    await proxy[Symbol.asyncDispose]();
    assert.doesNotMatch(site.relay.log(), /"(right|wrong)"/);
  });
});
