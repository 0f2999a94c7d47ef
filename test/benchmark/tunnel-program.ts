/** The processes that the tunnel's benchmark measures: `tunnel <port of the far end>`, or the `far-end` itself. Says `{"port":…}` once it listens. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { tunnelOptions } from '../../src/tunnel/options.ts';
import { createTunnel } from '../../src/tunnel/tunnel.ts';

const [role, farEndPort = ''] = process.argv.slice(2);
const port = role === 'tunnel' ? await startTunnel() : await startFarEnd();
process.stdout.write(`${JSON.stringify({ port })}\n`);

function startTunnel(): Promise<number> {
  const tunnel = createTunnel({
    options: tunnelOptions.parse({ enabled: true, address: '127.0.0.1', port: 0, maxConnectionsPerClient: 10_000, idleTimeout: '1h' }),
    proxyPassword: undefined,
    workspaces: [{ id: 'far-end', domain: 'opinsights.azure.com', endpoint: `https://localhost:${farEndPort}` }],
    identity: { certificate: '', privateKey: '' },
    isKnown: () => ({ known: true }),
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    clock: systemClock,
    metrics: createMetrics(),
    log: silentLogger,
  });
  return tunnel.start();
}

// It looks at nothing, and always reads into the same memory.
async function startFarEnd(): Promise<number> {
  const server = createServer((socket) => void socket.on('error', () => socket.destroy()).resume());
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
