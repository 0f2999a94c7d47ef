import { readdir } from 'node:fs/promises';
import { hostname, type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { readFileIfAny } from '../files.ts';
import type { CredentialStore, Seal } from '../host/credentials.ts';
import type { Places } from '../host/places.ts';
import type { Answers } from './answers.ts';
import { type KeptAnswers, readKeptAnswers } from './kept-answers.ts';
import type { MachineFiles } from './machine-files.ts';
import { trustFiles } from './options-of-answers.ts';

/** What a plan is made from: how the machine is now. */
export interface Facts {
  /** The files that setup may change, as they are; one that is not in it does not exist. */
  readonly files: ReadonlyMap<string, string>;
  /** The secrets in the credential store, opened. */
  readonly credentials: ReadonlyMap<string, Buffer>;
  readonly seal: Seal;
  readonly hostName: string;
  /** Names of all network interfaces, up or not, sorted. */
  readonly links: readonly string[];
  /** Those of them that are cards; virtual ones are not. */
  readonly cards: readonly string[];
  readonly interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** What setup worked with last. */
  readonly last: KeptAnswers | undefined;
}

export interface FactsParts {
  readonly places: Places;
  readonly files: MachineFiles;
  readonly credentials: CredentialStore;
  readonly hostName?: () => string;
  readonly interfaces?: () => NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** /sys/class/net */
  readonly linkFolder?: string;
}

/** Looks at the machine, and changes nothing. Throws `relay.host.credential-failed` when a secret cannot be opened here. */
export async function gatherFacts(answers: Answers, parts: FactsParts): Promise<Facts> {
  const { places, files, credentials } = parts;
  const paths = [
    ...[places.configuration, places.answers, files.hostName, files.netplan, files.cloudNetplan, files.cloudSettings, files.resolver, files.timeSources],
    ...[files.exporter, files.authorizedKeys, files.credentialsDropIn, files.machineNetwork],
    ...answers.workspaces.flatMap((workspace) => trustFiles(workspace, files.trust).map(({ file }) => file)),
  ];
  const found = new Map<string, string>();
  for (const path of paths) {
    const content = await readFileIfAny(path);
    if (content) found.set(path, content.toString());
  }
  const secrets = new Map<string, Buffer>();
  for (const name of await credentials.list()) secrets.set(name, (await credentials.get(name)) ?? Buffer.alloc(0));
  return {
    files: found,
    credentials: secrets,
    seal: credentials.seal,
    hostName: (parts.hostName ?? hostname)(),
    ...(await linksIn(parts.linkFolder ?? '/sys/class/net')),
    interfaces: (parts.interfaces ?? networkInterfaces)(),
    last: readKeptAnswers(found.get(places.answers)),
  };
}

// A card has a device behind it; bridges, tunnels and the loopback have none.
async function linksIn(folder: string): Promise<Pick<Facts, 'links' | 'cards'>> {
  const links = (await readdir(folder).catch(() => [])).toSorted();
  const cards = await Promise.all(links.map(async (name) => ((await readdir(join(folder, name, 'device')).catch(() => undefined)) ? [name] : [])));
  return { links, cards: cards.flat() };
}
