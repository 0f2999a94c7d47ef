/** A real rsyslog, as a process of its own: it takes messages on a Unix socket and forwards them by omfwd over TLS, with a queue on disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { counted } from './rig.ts';

export interface RsyslogSettings {
  readonly folder: string;
  readonly relayPort: number;
  /** PEM files: the relay's root, and the sender's own certificate and key. */
  readonly rootFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** `traditional` ends each message with a line feed. */
  readonly framing?: 'octet-counted' | 'traditional';
}

export interface Rsyslog extends AsyncDisposable {
  /** Hands over messages as RFC 5424 writes them; resolves when rsyslog has read them. */
  send(messages: readonly string[]): Promise<void>;
  /** What it wrote about itself. */
  log(): string;
  /** SIGTERM: what is not sent is saved in its queue. */
  stop(): Promise<void>;
}

const MAX_LOG_CHARACTERS = 64 * 1024;

export async function startRsyslog(settings: RsyslogSettings): Promise<Rsyslog> {
  const { folder } = settings;
  const socket = join(folder, 'in.sock');
  const file = join(folder, 'rsyslog.conf');
  await mkdir(join(folder, 'spool'), { recursive: true });
  await writeFile(file, configurationOf(settings, socket));
  const child = spawn('rsyslogd', ['-n', '-f', file, '-i', join(folder, 'rsyslog.pid')], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const log = collect(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await closed;
  };
  await eventually('rsyslog listens', () => {
    if (child.exitCode !== null) throw new Error(`rsyslog did not start: ${log()}`);
    return stat(socket).then(
      () => true,
      () => false,
    );
  });
  return {
    async send(messages) {
      const connection = connect(socket);
      connection.end(Buffer.concat(messages.map((message) => counted(message))));
      connection.resume();
      await once(connection, 'close');
    },
    log,
    stop,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

function configurationOf({ folder, relayPort, rootFile, certificateFile, keyFile, framing = 'octet-counted' }: RsyslogSettings, socket: string): string {
  return `global(
  workDirectory="${join(folder, 'spool')}"
  maxMessageSize="64k"
  parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="${rootFile}"
  defaultNetstreamDriverCertFile="${certificateFile}"
  defaultNetstreamDriverKeyFile="${keyFile}"
)
module(load="imptcp")
input(type="imptcp" path="${socket}")
action(
  type="omfwd" target="127.0.0.1" port="${relayPort}" protocol="tcp" tcp_framing="${framing}"
  streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="relay.test"
  template="RSYSLOG_SyslogProtocol23Format"
  action.resumeRetryCount="-1" action.resumeInterval="1"
  queue.type="LinkedList" queue.filename="relay" queue.saveOnShutdown="on" queue.size="100000"
)
`;
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      text = (text + piece).slice(-MAX_LOG_CHARACTERS);
    });
  }
  return () => text;
}
