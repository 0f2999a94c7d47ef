import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startSite } from '../support/site.ts';
import { curl } from './rig.ts';

describe("the relay's tunnel", () => {
  it("leads to the configured workspace's own host and port, and nowhere else on this machine", async () => {
    await using site = await startSite({ sections: { tunnel: { enabled: true, address: '127.0.0.1', port: 0 } } });
    const { tunnel, intakePort, metricsPort } = await site.relay.status();
    assert.ok(tunnel);
    const { listening } = site.upstream();
    const through = ['-x', `http://127.0.0.1:${tunnel.port}`, '--max-time', '20'];
    const allowed = await curl([...through, '--cacert', listening.rootPath, listening.url]);
    assert.equal(allowed.code, 0, allowed.err);
    assert.match(allowed.err, /SSL certificate verify ok|HTTP\/1\.1 \d{3}/);
    for (const port of [intakePort, metricsPort]) assert.match((await curl([...through, `https://127.0.0.1:${port}/`])).err, /403 Forbidden \((host|port)\)/);
    await eventually('no tunnel is left', async () => (await site.relay.status()).tunnel?.open === 0);
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    assert.match(metrics, /^relay_tunnel_connections_total\{outcome="opened"\} 1$/m);
    assert.match(metrics, /^relay_tunnel_open 0$/m);
  });

  it('is shut unless it is asked for', async () => {
    await using site = await startSite();
    assert.equal((await site.relay.status()).tunnel, undefined);
  });
});
