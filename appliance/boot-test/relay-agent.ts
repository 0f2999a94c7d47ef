/** Our own agent on the host, as a user runs it: the command line, in a folder of its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Daemon, runProgram, startDaemon } from './programs.ts';
import { WORKSPACE } from './site.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const ENROL_LIMIT_MS = 180_000;

export interface AgentPlace {
  readonly folder: string;
  /** `https://127.0.0.1:8443` */
  readonly relay: string;
  /** As the relay printed it. */
  readonly rootFingerprint: string;
  readonly enrolmentKey: string;
}

/** Enrols it, trusting the relay by the fingerprint of its root. Rejects with what the command said. */
export async function enrolRelayAgent({ folder, relay, rootFingerprint, enrolmentKey }: AgentPlace): Promise<void> {
  await mkdir(folder, { recursive: true });
  const keyFile = join(folder, 'enrolment.key');
  await writeFile(keyFile, enrolmentKey, { mode: 0o600 });
  const trust = ['--trust-fingerprint', rootFingerprint];
  const args = [MAIN, 'agent', 'enrol', '--relay', relay, '--workspace', WORKSPACE, '--key-file', keyFile, ...trust, '--data', join(folder, 'data')];
  const { code, out, err } = await runProgram(process.execPath, [...args, '--name', 'boot-test-agent'], ENROL_LIMIT_MS);
  if (code !== 0) throw new Error(`relay agent enrol ended with ${code}: ${err.trim() || out.trim()}`);
}

/** Runs it until it is ended. */
export function runRelayAgent(folder: string): Daemon {
  return startDaemon(process.execPath, [MAIN, 'agent', 'run', '--data', join(folder, 'data')], join(folder, 'agent.log'));
}
