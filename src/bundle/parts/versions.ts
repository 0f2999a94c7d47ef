import { readFile } from 'node:fs/promises';
import { machine, release, type, version } from 'node:os';
import { asJson, type Part } from '../part.ts';
import type { BundleSite } from '../site.ts';

const PACKAGE = new URL('../../../package.json', import.meta.url);

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Which release of everything is at work. */
export function versionsPart({ version: relay, relay: link }: BundleSite): Part {
  return {
    file: 'versions.json',
    what: 'releases of relay, Node, operating system, kernel and npm packages',
    gather: async () =>
      asJson({
        relay: { ofThisCommand: relay, running: link.runs ? link.status.version : undefined },
        node: process.versions,
        operatingSystem: await nameOfSystem(),
        kernel: { type: type(), release: release(), version: version(), machine: machine() },
        packages: await packages(),
      }),
  };
}

async function nameOfSystem(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1];
}

async function packages(): Promise<Readonly<Record<string, string>>> {
  const { dependencies = {} } = JSON.parse(await readFile(PACKAGE, 'utf8')) as Manifest;
  const found = Object.keys(dependencies).map(async (name) => [name, await installed(name)] as const);
  return Object.fromEntries(await Promise.all(found));
}

async function installed(name: string): Promise<string> {
  const path = new URL(`node_modules/${name}/package.json`, PACKAGE);
  const text = await readFile(path, 'utf8').catch(() => '{}');
  return (JSON.parse(text) as Manifest).version ?? 'not found';
}
