/** Reads what `strace` saw of a process: each change of a file and each sync, with when it began and when it was over. */
import { readFile } from 'node:fs/promises';

const CALLS =
  'openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,copy_file_range,mmap';

/** One change under the folder that was watched, or one line on standard output. Times in milliseconds since 1970. */
export type Operation = { readonly beganAt: number; readonly endedAt: number } & (
  | { readonly kind: 'create'; readonly path: string }
  | { readonly kind: 'make-folder'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'say'; readonly text: string }
);

/** What to put before a command to have it traced into `file`. The command stays the child that was started: strace goes aside. */
export function tracing(file: string): readonly string[] {
  return ['strace', '-D', '-f', '--seccomp-bpf', '-q', '-y', '-ttt', '-T', '-xx', '-s', '16777216', '-e', `trace=${CALLS}`, '-o', file];
}

interface Call {
  readonly name: string;
  readonly arguments: string;
  readonly result: string;
  readonly beganAt: number;
  readonly endedAt: number;
}

/** The operations on what lies under `folder`, in the order in which they ended. Throws for a way of writing that the model does not know. */
export async function readTrace(file: string, folder: string): Promise<Operation[]> {
  const positions = new Map<string, number>();
  const operations = callsOf((await readFile(file, 'latin1')).split('\n')).flatMap((call) => operationsOf(call, folder, positions));
  return operations.sort((a, b) => a.endedAt - b.endedAt);
}

const LINE = /^(\d+) +(\d+\.\d+) (.*)$/;
const WHOLE = /^(\w+)\((.*)\) += (-?\w+.*?) <(\d+\.\d+)>$/;
const BEGUN = /^(\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)\) += (-?\w+.*?) <(\d+\.\d+)>$/;

function callsOf(lines: readonly string[]): Call[] {
  const begun = new Map<string, { readonly arguments: string; readonly beganAt: number }>();
  return lines.flatMap((line): Call[] => {
    const [, thread = '', seconds = '', rest = ''] = LINE.exec(line) ?? [];
    const at = Number(seconds) * 1000;
    const started = BEGUN.exec(rest);
    if (started) begun.set(thread, { arguments: started[2] ?? '', beganAt: at });
    const resumed = RESUMED.exec(rest);
    if (resumed) {
      const before = begun.get(thread) ?? { arguments: '', beganAt: at };
      return [{ name: resumed[1] ?? '', arguments: before.arguments + (resumed[2] ?? ''), result: resumed[3] ?? '', beganAt: before.beganAt, endedAt: at }];
    }
    const [, name, given = '', result = '', took = ''] = WHOLE.exec(rest) ?? [];
    return name === undefined ? [] : [{ name, arguments: given, result, beganAt: at, endedAt: at + Number(took) * 1000 }];
  });
}

function operationsOf(call: Call, folder: string, positions: Map<string, number>): Operation[] {
  if (call.result.startsWith('-1')) return [];
  const { beganAt, endedAt } = call;
  const at = { beganAt, endedAt };
  const texts = [...call.arguments.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => bytesOf(hex));
  const [first = '', second = ''] = texts.map(String);
  const open = openPath(call.arguments);
  const number = (back: number): number => Number(call.arguments.split(', ').at(-back));
  const ours = (path: string): boolean => path === folder || path.startsWith(`${folder}/`);

  switch (call.name) {
    case 'openat': {
      if (!ours(first) || !call.arguments.includes('O_CREAT')) return [];
      positions.set(first, 0);
      const truncated: Operation[] = call.arguments.includes('O_TRUNC') ? [{ ...at, kind: 'truncate', path: first, size: 0 }] : [];
      return [{ ...at, kind: 'create', path: first }, ...truncated];
    }
    case 'write':
    case 'writev': {
      if (/^1</.test(call.arguments)) return [{ ...at, kind: 'say', text: texts.map(String).join('') }];
      if (!ours(open)) return [];
      const offset = positions.get(open) ?? 0;
      const bytes = Buffer.concat(texts).subarray(0, Number.parseInt(call.result, 10));
      positions.set(open, offset + bytes.length);
      return [{ ...at, kind: 'write', path: open, offset, bytes }];
    }
    case 'pwrite64':
    case 'pwritev':
      return ours(open)
        ? [{ ...at, kind: 'write', path: open, offset: number(1), bytes: Buffer.concat(texts).subarray(0, Number.parseInt(call.result, 10)) }]
        : [];
    case 'ftruncate':
      return ours(open) ? [{ ...at, kind: 'truncate', path: open, size: number(1) }] : [];
    case 'fsync':
    case 'fdatasync':
      return ours(open) ? [{ ...at, kind: 'sync', path: open }] : [];
    case 'mkdir':
      return ours(first) ? [{ ...at, kind: 'make-folder', path: first }] : [];
    case 'unlink':
    case 'rmdir':
      return ours(first) ? [{ ...at, kind: 'remove', path: first }] : [];
    case 'rename':
      return ours(first) ? [{ ...at, kind: 'rename', path: first, to: second }] : [];
    case 'mmap':
      if (ours(open) && call.arguments.includes('MAP_SHARED')) throw new Error(`the model of the disk does not know shared memory on ${open}`);
      return [];
    default:
      if (ours(first) || ours(open)) throw new Error(`the model of the disk does not know ${call.name} on ${first || open}`);
      return [];
  }
}

// A file descriptor with its path: `21<\x2f\x74…>`; a file that was deleted has that word after it.
function openPath(given: string): string {
  const hex = /(?:^|, )\d+<((?:\\x[0-9a-f]{2})+)>/.exec(given)?.[1] ?? '';
  return bytesOf(hex).toString();
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}
