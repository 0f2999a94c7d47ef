import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readFileIfAny, writeFileAtomic } from '../files.ts';
import type { EnterAudit } from './entry.ts';

const NAME = 'configuration.json';

/** Enters what differs from the configuration of the start before. It holds no secrets: only the paths of their files. */
export async function enterConfigurationChange(folder: string, configuration: unknown, enter: EnterAudit): Promise<void> {
  const path = join(folder, NAME);
  const text = JSON.stringify(configuration);
  const before = (await readFileIfAny(path))?.toString('utf8');
  if (before === text) return;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const what = before === undefined ? 'the first one' : changesBetween(parse(before), configuration).join('; ') || 'in its order only';
  enter({ actor: { kind: 'system', name: 'relay' }, action: 'configuration.change', on: `configuration ${hash}`, from: 'file', result: 'done', detail: what });
  await writeFileAtomic(path, text);
}

/** `option: before → now` for each option that differs. */
export function changesBetween(before: unknown, now: unknown): string[] {
  const [old, current] = [flat(before), flat(now)];
  const paths = new Set([...old.keys(), ...current.keys()]);
  return [...paths].filter((path) => old.get(path) !== current.get(path)).map((path) => `${path}: ${old.get(path) ?? 'none'} → ${current.get(path) ?? 'none'}`);
}

function flat(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value) ?? 'none']]);
  return new Map(Object.entries(value).flatMap(([name, each]) => [...flat(each, path === '' ? name : `${path}.${name}`)]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
