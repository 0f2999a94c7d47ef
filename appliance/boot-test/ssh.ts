import { runProgram } from './programs.ts';

const COMMAND_LIMIT_MS = 300_000;

/** The administrator's way into the machine. */
export interface Ssh {
  /** Runs a command line as root; its output. Rejects with what it said when it does not end with 0. */
  root(command: string, limitMs?: number): Promise<string>;
  /** The same, however it ends. */
  try(command: string, limitMs?: number): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** Copies a file of the host into the machine. */
  copy(from: string, to: string): Promise<void>;
  /** Copies a file of the machine to the host; readable by ops. */
  fetch(from: string, to: string): Promise<void>;
}

export function sshTo(port: number, keyFile: string): Ssh {
  const options = [
    ...['-i', keyFile, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    ...['-o', 'LogLevel=ERROR', '-o', 'ConnectTimeout=60', '-o', 'ServerAliveInterval=15', '-o', 'ServerAliveCountMax=20'],
  ];
  const run = (command: string, limitMs = COMMAND_LIMIT_MS): ReturnType<typeof runProgram> =>
    runProgram('ssh', [...options, '-p', String(port), 'ops@127.0.0.1', 'sudo', 'sh', '-s'], limitMs, command);
  const copy = async (from: string, to: string): Promise<void> => {
    const { code, err } = await runProgram('scp', [...options, '-q', '-P', String(port), from, to], COMMAND_LIMIT_MS);
    if (code !== 0) throw new Error(`scp ${from} ${to} ended with ${code}: ${err.trim()}`);
  };
  return {
    async root(command, limitMs) {
      const { code, out, err } = await run(command, limitMs);
      if (code !== 0) throw new Error(`in the machine, ${command} ended with ${code}: ${err.trim() || out.trim()}`);
      return out;
    },
    try: run,
    copy: (from, to) => copy(from, `ops@127.0.0.1:${to}`),
    fetch: (from, to) => copy(`ops@127.0.0.1:${from}`, to),
  };
}
