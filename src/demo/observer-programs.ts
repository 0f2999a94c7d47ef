import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RelayError } from '../errors.ts';

const PROGRAMS = ['prometheus', 'prometheus-node-exporter', 'prometheus-redis-exporter'];
const PREPARE = fileURLToPath(new URL('../../appliance/prepare-machine.sh', import.meta.url));

/**
 * Makes sure that Prometheus and the exporters are installed, with this machine's packages when they are not; what that says goes to standard error.
 * Throws `relay.prometheus.missing` when they cannot be.
 */
export async function installObserverPrograms(programs: readonly string[] = PROGRAMS, prepare: string = PREPARE): Promise<void> {
  if ((await missing(programs)).length === 0) return;
  await fails(spawn('sh', [prepare, '--observe'], { stdio: ['inherit', 2, 2] }));
  const still = await missing(programs);
  if (still.length === 0) return;
  throw new RelayError('relay.prometheus.missing', `These programs are not installed: ${still.join(', ')}. Install them: apt-get install ${still.join(' ')}`);
}

async function missing(programs: readonly string[]): Promise<readonly string[]> {
  const failures = await Promise.all(programs.map((program) => fails(spawn(program, ['--version'], { stdio: 'ignore' }))));
  return programs.filter((_, index) => failures[index]);
}

async function fails(child: ChildProcess): Promise<boolean> {
  try {
    const [code] = await once(child, 'close');
    return code !== 0;
  } catch {
    return true;
  }
}
