/** Who is told, as they are in a site: an SMTP server and an HTTPS receiver, both with certificates of an authority of their own. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { openAuthority } from '../../src/authority/authority.ts';
import { writeFileAtomic } from '../../src/files.ts';

export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
  /** File with the authority. */
  readonly trustFile: string;
}

/** A certificate for 127.0.0.1 and localhost, and whom it is trusted by. */
export async function createIdentity(folder: string): Promise<Identity> {
  const authority = await openAuthority(join(folder, 'authority'), Date.now);
  const { certificate, privateKey } = await authority.serverIdentity(['127.0.0.1', 'localhost'], 1);
  const trustFile = join(folder, 'root.pem');
  await writeFileAtomic(trustFile, authority.root);
  return { certificate, privateKey, trustFile };
}

export interface Mailbox extends AsyncDisposable {
  readonly port: number;
  readonly mails: { readonly from: string; readonly to: readonly string[]; readonly isTls: boolean; readonly user: string; readonly text: string }[];
}

export const MAIL_USER = 'relay';
export const MAIL_PASSWORD = 'correct horse battery staple';

/** An SMTP server that takes mail from one user, over TLS only. */
export async function startMailbox({ certificate, privateKey }: Identity, more: SMTPServerOptions = {}): Promise<Mailbox> {
  const mails: Mailbox['mails'] = [];
  const server = new SMTPServer({
    cert: certificate,
    key: privateKey,
    logger: false,
    authOptional: false,
    onAuth({ username, password }, _session, done) {
      // A server that quotes what it was sent, as some do.
      if (username === MAIL_USER && password === MAIL_PASSWORD) done(null, { user: username });
      else done(new Error(`Invalid login ${username} ${password}`));
    },
    onData(stream, { envelope, secure, user }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), isTls: secure, user: String(user), text: Buffer.concat(chunks).toString() });
        done();
      });
    },
    ...more,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return { port, mails, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Hook extends AsyncDisposable {
  readonly port: number;
  readonly received: Received[];
  /** Status of its answers; undefined answers nothing. */
  status: number | undefined;
  answer: string;
  headers: Record<string, string>;
}

/** A receiver over HTTPS. */
export async function startHook({ certificate, privateKey }: Identity, port = 0): Promise<Hook> {
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      hook.received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      if (hook.status !== undefined) response.writeHead(hook.status, hook.headers).end(hook.answer);
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const hook: Hook = {
    port: (server.address() as AddressInfo).port,
    received: [],
    status: 204,
    answer: '',
    headers: {},
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
  return hook;
}
