/**
 * The measure to hold the relay against: nginx as a plain TLS proxy with two workers. It takes the same requests with the same certificates
 * and passes them on over kept connections to the same sink, but looks at nothing, seals nothing and stores nothing.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makePrivateFolder, writeFileAtomic } from '../../src/files.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { FleetAgent } from './fleet.ts';
import { startProgram } from './program.ts';
import type { Sink } from './sink.ts';
import type { ServerFiles, Target } from './target.ts';

const START_TIMEOUT_MS = 10_000;

/** Its version, such as `1.22.1`; undefined when it is not installed. */
export async function nginxVersion(): Promise<string | undefined> {
  try {
    const { stderr } = await promisify(execFile)('nginx', ['-v'], { timeout: START_TIMEOUT_MS });
    return /nginx\/(\S+)/.exec(stderr)?.[1];
  } catch {
    return undefined;
  }
}

export interface NginxTargetOptions {
  readonly folder: string;
  readonly server: ServerFiles;
  /** As whom it sends to the sink. */
  readonly sender: FleetAgent;
  readonly sink: Sink;
}

export async function startNginxTarget({ folder, server, sender, sink }: NginxTargetOptions): Promise<Target> {
  await makePrivateFolder(folder);
  const port = await freePort();
  await writeFileAtomic(join(folder, 'sender.pem'), sender.identity.certificate);
  await writeFileAtomic(join(folder, 'sender.key'), sender.identity.privateKey);
  const configurationFile = join(folder, 'nginx.conf');
  await writeFileAtomic(configurationFile, configurationText(folder, port, server, sink));
  const nginx = startProgram('nginx', ['-p', folder, '-e', 'stderr', '-c', configurationFile]);
  try {
    await eventually(`nginx to answer: ${nginx.said()}`, () => isListening(port), START_TIMEOUT_MS);
  } catch (cause) {
    await nginx.stop();
    throw new Error(`nginx did not start: ${nginx.said()}`, { cause });
  }
  return { port, trust: await readFile(server.rootFile, 'utf8'), pids: { nginx: nginx.pid }, stop: nginx.stop };
}

function configurationText(folder: string, port: number, server: ServerFiles, sink: Sink): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  return `
daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 16384; }
http {
  access_log off;
  ${scratch.join(' ')}
  keepalive_requests 1000000;
  client_max_body_size 64m;
  upstream sink {
    server 127.0.0.1:${sink.port};
    keepalive 64;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${server.certificateFile};
    ssl_certificate_key ${server.keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client optional_no_ca;
    location / {
      proxy_pass https://sink;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host localhost;
      # Bodies pass as they come: with buffering they would go through a file.
      proxy_request_buffering off;
      proxy_ssl_certificate ${folder}/sender.pem;
      proxy_ssl_certificate_key ${folder}/sender.key;
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_trusted_certificate ${sink.rootFile};
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
      proxy_ssl_server_name on;
    }
  }
}
`;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
