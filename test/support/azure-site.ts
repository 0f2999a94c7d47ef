/** A relay that sends by Logs Ingestion, as a process, and a stand-in for the service that it signs in to. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import type { WrittenRule } from '../../src/local-workspace/intake/ingestion/declaration.ts';
import { enrolMachine, type Machine } from './fleet.ts';
import { type RelayProcess, relayProcess, type Sections } from './relay-process.ts';
import { BANK, startUpstream, type Upstream } from './site.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const AZURE_RULE: string = `dcr-${'0123456789abcdef'.repeat(2)}`;

const TENANT = 'aaaaaaaa-0000-4000-8000-00000000000a';
const APP = 'bbbbbbbb-0000-4000-8000-00000000000b';
const SECRET = 'a~secret+of/a=client';

export interface AzureSite extends AsyncDisposable {
  readonly relay: RelayProcess;
  readonly upstream: Upstream;
  /** What the relay signs in with, for whoever sends straight. */
  readonly application: { readonly tenantId: string; readonly clientId: string; readonly secret: string; readonly ruleId: string };
  machine(): Promise<Machine>;
}

export interface AzureSiteOptions {
  readonly streams: WrittenRule['streams'];
  /** Beside what is needed, in the section `ingestion`. */
  readonly ingestion?: Sections;
}

/** Starts all of it; `await using` ends all of it. */
export async function startAzureSite({ streams, ingestion = {} }: AzureSiteOptions): Promise<AzureSite> {
  await using parts = new AsyncDisposableStack();
  const { path: folder } = parts.use(await temporaryFolder());
  const upstream = parts.use(await startUpstream(folder, BANK));
  const { url, rootPath } = upstream.listening;
  upstream.local.declare({
    tenantId: TENANT,
    apps: [{ clientId: APP, secrets: [SECRET] }],
    rules: [{ immutableId: AZURE_RULE, workspace: BANK, streams, allowedApps: [APP] }],
  });
  const redis = await startRedisServer(join(folder, 'redis'));
  parts.defer(() => redis.stop('SIGKILL'));
  const secretFile = join(folder, 'client.secret');
  await writeFile(secretFile, SECRET, { mode: 0o600 });
  const signIn = { tenantId: TENANT, clientId: APP, secretFile, authority: url, trustFile: rootPath };
  const workspace = { id: BANK, protocol: 'logs-ingestion', trustFile: rootPath, ingestion: { endpoint: url, ruleId: AZURE_RULE, signIn, ...ingestion } };
  const relay = parts.use(await relayProcess(join(folder, 'relay'), { cache: { redis: { socket: redis.socket } }, workspaces: [workspace] }));
  await relay.start();
  const all = parts.move();
  let machines = 0;
  return {
    relay,
    upstream,
    application: { tenantId: TENANT, clientId: APP, secret: SECRET, ruleId: AZURE_RULE },
    async machine() {
      machines += 1;
      const name = `machine-${machines}`;
      const target = { port: relay.port(), rootPem: await readFile(relay.rootFile, 'utf8') };
      const machine = await enrolMachine(target, BANK, await relay.createKey(BANK, name));
      all.defer(() => machine.close());
      return machine;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
