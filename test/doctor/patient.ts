/** A relay that is not well: a configuration on disk, services on loopback that are wrong in one way, and what the doctor says. */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { openAuthority } from '../../src/authority/authority.ts';
import { loadConfiguration } from '../../src/configuration/load.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export const BANK = '11111111-1111-4111-8111-111111111111';
const DAY_MS = 86_400_000;

export interface TlsService extends AsyncDisposable {
  readonly port: number;
  readonly rootPem: string;
}

export interface ServiceFaults {
  /** What its certificate is for. */
  readonly names?: readonly string[];
  /** When its certificate was made; it lasts for 90 days. */
  readonly madeAt?: number;
  /** Added to the date of its answers. */
  readonly clockOffsetMs?: number;
}

/** An https service on 127.0.0.1 that answers 404 to everything. */
export async function startTlsService({ names = ['127.0.0.1'], madeAt = Date.now(), clockOffsetMs = 0 }: ServiceFaults = {}): Promise<TlsService> {
  await using folder = await temporaryFolder();
  const authority = await openAuthority(folder.path, () => madeAt);
  const { certificate, privateKey } = await authority.serverIdentity(names, 90);
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certificate, key: privateKey }, (_, response) => {
    response.writeHead(404, { date: new Date(Date.now() + clockOffsetMs).toUTCString() }).end();
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    rootPem: authority.root,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Patient extends AsyncDisposable {
  readonly folder: string;
  readonly file: string;
  /** Writes a file into the folder; its path. */
  write(name: string, content: string): Promise<string>;
  /** What the doctor finds with these sections of the configuration. */
  findings(sections: object, options?: { limitMs?: number; upload?: boolean; now?: () => number }): Promise<readonly Finding[]>;
}

export async function createPatient(): Promise<Patient> {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'relay.json');
  await mkdir(join(folder.path, 'data'));
  const write = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder.path, name), content, { mode: 0o600 });
    return join(folder.path, name);
  };
  return {
    folder: folder.path,
    file,
    write,
    async findings(sections, { limitMs = 10_000, upload = false, now = Date.now } = {}) {
      // Redis is not what most of these tests are about: a place where certainly none is.
      const rest = { data: 'data', intake: { port: 0 }, metrics: { port: 0 }, cache: { redis: { socket: join(folder.path, 'no-redis.sock') } } };
      await writeFile(file, JSON.stringify({ ...rest, ...sections }));
      const configuration = await loadConfiguration({ file, env: {} });
      const { workspaces } = configuration;
      return await examine({ configuration, file, version: '0', limitMs, upload, workspaces, workspacesOnly: workspaces.length > 0, now });
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** A workspace of the Operational Data protocol at this address. */
export function workspaceAt(endpoint: string, more: object = {}): object {
  return { workspaces: [{ id: BANK, name: 'bank', endpoint, sharedKeyFile: 'shared.key', ...more }] };
}

export { DAY_MS };
