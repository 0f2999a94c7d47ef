/** Run by network-paths.test.ts in namespaces of its own, with a folder: a relay sends by each road, the road is cut, nothing leaves by another. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import type { RoadState } from '../../src/workspace/road-state.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, enrolMachine, type Machine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { readArrived } from '../support/oracle.ts';
import { type RelayProcess, relayProcess, type Sections } from '../support/relay-process.ts';
import { type Running, startCommand } from '../support/run-relay.ts';
import { BANK } from '../support/site.ts';
import { buildThreeRoads, CIRCUIT_SOURCE, PRIVATE_ADDRESS, PUBLIC_ADDRESS, type RoadName, type ThreeRoads } from '../support/three-roads.ts';

const NAME = 'service.test';
const PRIVATE_NAME = 'service.privatelink.test';
const PORT = 9443;

interface Service extends AsyncDisposable {
  readonly option: Sections;
  arrived(): number;
}

/** A relay that takes one road, and a machine that sends to it. */
interface Sender extends AsyncDisposable {
  readonly relay: RelayProcess;
  /** Sends a batch and waits for its acknowledgement. */
  post(): Promise<void>;
  road(): Promise<RoadState>;
  /** Why nothing is sent; undefined while the workspace is reachable. */
  obstacle(): Promise<string | undefined>;
}

const [folder = ''] = process.argv.slice(2);
const roads = await buildThreeRoads();
await using service = await startService(roads);

await byCircuit();
await roads.retire('er');
await byPrivateLink();
await roads.retire('pl');
await byInternet();

async function byCircuit(): Promise<void> {
  const path = { kind: 'expressroute', addresses: [PUBLIC_ADDRESS], peers: ['203.0.113.0/24'], interface: 'er0', sourceAddress: CIRCUIT_SOURCE };
  await roads.setPolicy('del');
  await using sender = await startSender('circuit', path);
  await holds(sender, /relay\.path\.other-route: The path's interface is er0, but the route to 203\.0\.113\.10 from 10\.2\.0\.2 leaves by inet0/);
  assert.deepEqual(await roads.sent(), { inet: 0, er: 0, pl: 0 }, 'no packet leaves by any road');
  await roads.setPolicy('add');
  await delivers(sender, 'by the circuit');
  await onlyBy('er');
  const { sourceAddress, peerAddress } = await sender.road();
  assert.deepEqual({ sourceAddress, peerAddress }, { sourceAddress: CIRCUIT_SOURCE, peerAddress: PUBLIC_ADDRESS });

  await roads.setCarrier('er', 'down');
  await holds(sender, /relay\.path\.no-source: No interface that is up has the address 10\.2\.0\.2 on er0/);
  await onlyBy('er');
  await roads.setCarrier('er', 'up');
  await delivers(sender, 'by the circuit again');

  await roads.drop('er');
  await holds(sender, /UND_ERR_|no answer in time|ETIMEDOUT|ECONNRESET/);
  await onlyBy('er');
  await roads.letPass('er');
  await delivers(sender, 'by the circuit once more');
  await onlyBy('er');
}

async function byPrivateLink(): Promise<void> {
  await using dns = await startDnsServer({ [NAME]: { a: [PUBLIC_ADDRESS] } });
  const before = await roads.sent();
  await using sender = await startSender('private-link', { kind: 'private-link', nameServers: [dns.address] });
  await holds(sender, /relay\.path\.not-private: service\.test leads to 203\.0\.113\.10/);
  assert.deepEqual(await roads.sent(), before, 'a poisoned name: no packet leaves by any road');
  assert.equal((await sender.road()).refusal?.reason, 'not-private');

  dns.records.set(NAME, { cname: PRIVATE_NAME }).set(PRIVATE_NAME, { a: [PRIVATE_ADDRESS] });
  await delivers(sender, 'by the private link');
  await onlyBy('pl', before);
  const { peerAddress, peerIs, resolved } = await sender.road();
  assert.deepEqual({ peerAddress, peerIs, chain: resolved?.chain }, { peerAddress: PRIVATE_ADDRESS, peerIs: 'private', chain: [PRIVATE_NAME] });

  await roads.drop('pl');
  await holds(sender, /UND_ERR_|no answer in time|ETIMEDOUT|ECONNRESET/);
  await onlyBy('pl', before);
  await roads.letPass('pl');
  await delivers(sender, 'by the private link again');
  await onlyBy('pl', before);
}

// The same service at the same address: what is counted above does count here.
async function byInternet(): Promise<void> {
  const before = await roads.sent();
  await using sender = await startSender('internet', { kind: 'public', addresses: [PUBLIC_ADDRESS] });
  await delivers(sender, 'by the internet');
  await onlyBy('inet', before);
}

async function onlyBy(road: RoadName, before: Readonly<Record<RoadName, number>> = { inet: 0, er: 0, pl: 0 }): Promise<void> {
  const sent = await roads.sent();
  assert.ok(sent[road] > before[road], `packets left by ${road}`);
  assert.deepEqual({ ...sent, [road]: 0 }, { ...before, [road]: 0 }, `packets left by ${road} and by no other road`);
}

async function delivers(sender: Sender, what: string): Promise<void> {
  const before = service.arrived();
  const held = (await sender.relay.status()).cache.workspaces[0]?.groupsWaiting ?? 0;
  await sender.post();
  await eventually(`a batch is delivered ${what}, and all that was held`, () => service.arrived() >= before + 1 + held);
  await eventually(
    'the cache is empty',
    async () => (await sender.obstacle()) === undefined && (await sender.relay.status()).cache.workspaces[0]?.groupsWaiting === 0,
  );
}

async function holds(sender: Sender, reason: RegExp): Promise<void> {
  const before = service.arrived();
  await sender.post();
  await eventually(`data waits for ${reason.source}`, async () => reason.test((await sender.obstacle()) ?? ''));
  assert.equal(service.arrived(), before);
}

async function startSender(name: string, path: Sections): Promise<Sender> {
  await using parts = new AsyncDisposableStack();
  const redis = await startRedisServer(join(folder, `${name}-redis`));
  parts.defer(() => redis.stop('SIGKILL'));
  const sections = {
    cache: { redis: { socket: redis.socket } },
    upstream: { connectTimeout: '1s', requestTimeout: '2s' },
    workspaces: [{ ...service.option, path }],
  };
  const relay = parts.use(await relayProcess(join(folder, name), sections));
  await relay.start();
  // Its connections are closed in order, so that nothing of it leaves later.
  parts.defer(async () => void (await relay.end('SIGTERM')));
  const target = { port: relay.port(), rootPem: await readFile(relay.rootFile, 'utf8') };
  const machine: Machine = await enrolMachine(target, BANK, await relay.createKey(BANK, 'machines'));
  parts.defer(() => machine.close());
  const all = parts.move();
  let sent = 0;
  return {
    relay,
    async post() {
      sent += 1;
      assert.equal((await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(machine.agentId, sent).body)).status, 200);
    },
    async road() {
      const found = (await relay.status()).roads[BANK];
      assert.ok(found);
      return found.data;
    },
    async obstacle() {
      const upstream = (await relay.status()).cache.workspaces[0]?.upstream;
      return upstream && upstream.state !== 'awake' ? upstream.reason : undefined;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function startService({ onService }: ThreeRoads): Promise<Service> {
  const data = join(folder, 'service');
  const names = [NAME, 'localhost'];
  const args = ['--data', data, '--address', '0.0.0.0', '--port', String(PORT), '--name', ...names, '--workspace', BANK, '--json'];
  const running: Running = startCommand(['local-workspace', 'start', ...args], onService);
  const { root, keyFiles } = await eventually('the service listens', () => {
    if (running.hasEnded()) throw new Error(running.err());
    return running.out().includes('\n') && (JSON.parse(running.out()) as { readonly root: string; readonly keyFiles: Readonly<Record<string, string>> });
  });
  return {
    option: { id: BANK, endpoint: `https://${NAME}:${PORT}`, sharedKeyFile: keyFiles[BANK], trustFile: root },
    // One whose answer was lost with the road comes again, and is no other.
    arrived: () => readArrived(data, BANK).filter(({ repeated }) => !repeated).length,
    async [Symbol.asyncDispose]() {
      await running.end('SIGKILL');
    },
  };
}
