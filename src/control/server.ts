import { chmod, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Server } from '@hapi/hapi';
import { RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import { type ControlPluginOptions, controlPlugin } from './plugin.ts';

/** sun_path holds 108 bytes with its final zero (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

export interface ControlServer {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Serves the operator's side on a Unix socket, mode 0600. A socket left by a crash is replaced; one that answers is another relay's: `start` throws `relay.control.in-use`. */
export function createControlServer(socket: string, options: ControlPluginOptions): ControlServer {
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES) {
    throw new RelayError(
      'relay.configuration.invalid',
      `control.socket: found a path of ${Buffer.byteLength(socket)} bytes; a Unix socket's path has ${MAX_SOCKET_PATH_BYTES} at most: ${socket}`,
    );
  }
  const hapi = new Server({ port: socket, debug: false, routes: { payload: { maxBytes: 64 * 1024 } } });
  return {
    async start() {
      await makePrivateFolder(dirname(socket));
      if (await answers(socket))
        throw new RelayError('relay.control.in-use', `Another relay runs already: it answers at ${socket}. Stop it, or give this one another data folder.`);
      await rm(socket, { force: true });
      await hapi.register({ plugin: controlPlugin, options });
      // The umask closes the moment between bind and chmod.
      const before = process.umask(0o177);
      try {
        await hapi.start();
      } finally {
        process.umask(before);
      }
      await chmod(socket, 0o600);
    },
    async stop() {
      await hapi.stop({ timeout: 1_000 });
    },
  };
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const attempt = connect(socket);
    const end = (answered: boolean): void => {
      attempt.destroy();
      resolve(answered);
    };
    attempt.once('connect', () => end(true));
    attempt.once('error', () => end(false));
  });
}
