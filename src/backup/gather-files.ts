import type { Configuration } from '../configuration/schema.ts';
import type { MachineSecrets } from './machine-secrets.ts';
import type { LeftOut, NamedMember } from './manifest.ts';
import type { Member } from './members.ts';
import { isOwnKey, namedFiles, nameOf } from './named-files.ts';

export interface GatheredFiles {
  readonly members: readonly Member[];
  readonly files: readonly NamedMember[];
  /** Files that the configuration names and that are not there. */
  readonly leftOut: readonly LeftOut[];
}

/** Gathers the files that the configuration names, each once. Throws `relay.backup.unreadable-file` for one that is there and cannot be read. */
export async function gatherFiles(configuration: Configuration, secrets: MachineSecrets): Promise<GatheredFiles> {
  const members = new Map<string, Member>();
  const files: NamedMember[] = [];
  const leftOut: LeftOut[] = [];
  for (const { option, path, isSecret } of namedFiles(configuration)) {
    const name = nameOf(option);
    // The relay's own keys are with the state.
    if (isOwnKey(name)) continue;
    const content = await secrets.named(path);
    if (content && !members.has(path)) members.set(path, { name: `files/${String(members.size + 1).padStart(4, '0')}`, content });
    const member = members.get(path)?.name;
    if (member === undefined) leftOut.push({ what: path, reason: `${name} names it, and it is not there` });
    else files.push({ option: name, path, member, isSecret });
  }
  return { members: [...members.values()], files, leftOut };
}
