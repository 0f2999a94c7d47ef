import { readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, hostname, loadavg, networkInterfaces, totalmem, uptime } from 'node:os';
import { machineProbes } from '../../doctor/machine-probes.ts';
import { why } from '../../doctor/within.ts';
import { asJson, type Part } from '../part.ts';
import { runProgram } from '../run-program.ts';
import type { BundleSite } from '../site.ts';

const ASK_MS = 3_000;

/** The machine that all of it runs on. */
export function machinePart({ configured }: BundleSite): Part {
  return {
    file: 'machine.json',
    what: 'this machine: disks, memory, load, time service, network interfaces with their addresses, the relay as a service',
    gather: async (signal) =>
      asJson({
        host: hostname(),
        time: new Date().toISOString(),
        upSeconds: Math.round(uptime()),
        processors: { count: cpus().length, model: cpus()[0]?.model },
        load: loadavg(),
        memory: { totalBytes: totalmem(), freeBytes: freemem(), details: await linesOfFile('/proc/meminfo', /^(?:MemAvailable|Swap\w+|Dirty|Writeback):/) },
        pressure: await linesOfFile('/proc/pressure/io', /./),
        disks: lines(await runProgram('df', ['--output=source,fstype,size,avail,pcent,iavail,target', '--block-size=1'], signal)),
        dataFolder: configured.usable ? await roomOf(configured.configuration.data) : undefined,
        timeService: await timeService(),
        interfaces: interfaces(),
        routes: lines(await runProgram('ip', ['route', 'show'], signal)),
        service: lines(
          await runProgram('systemctl', ['show', 'relay', '--property=ActiveState,SubState,NRestarts,ExecMainStatus,ExecMainStartTimestamp,Result'], signal),
        ),
      }),
  };
}

async function timeService(): Promise<object | string> {
  const asked = await machineProbes.time(ASK_MS);
  return asked.outcome === 'done' ? (asked.value ?? 'none can be asked') : why(asked);
}

async function roomOf(folder: string): Promise<object> {
  try {
    const { bavail, blocks, bsize, ffree, files } = await statfs(folder);
    return { folder, freeBytes: bavail * bsize, sizeBytes: blocks * bsize, freeInodes: ffree, inodes: files };
  } catch (error) {
    return { folder, problem: (error as NodeJS.ErrnoException).code };
  }
}

async function linesOfFile(path: string, wanted: RegExp): Promise<string[] | undefined> {
  return lines(await readFile(path, 'utf8').catch(() => undefined))?.filter((line) => wanted.test(line));
}

// Hardware addresses are nobody's business.
function interfaces(): object {
  return Object.fromEntries(Object.entries(networkInterfaces()).map(([name, found = []]) => [name, found.map(({ cidr, internal }) => ({ cidr, internal }))]));
}

function lines(text: string | undefined): string[] | undefined {
  return text
    ?.split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
