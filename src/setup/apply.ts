import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, RelayError } from '../errors.ts';
import { readFileIfAny, writeFileAtomic } from '../files.ts';
import type { Machine } from './machine.ts';
import type { FileChange, Owner, Plan, SecretChange, Step } from './planned.ts';

const STEP_LIMIT_MS = 120_000;

type Undo = () => Promise<void>;

/**
 * Makes the machine as planned: secrets, then files, then what has to be run. Where one of them fails, those before it are put back, and it throws
 * `relay.setup.undone` with the reason. Gives what did not work and will by itself at the next boot, a sentence each.
 */
export async function apply(plan: Pick<Plan, 'secrets' | 'files' | 'steps'>, machine: Machine): Promise<readonly string[]> {
  const undo: Undo[] = [];
  const ran: Step[] = [];
  const notes: string[] = [];
  try {
    for (const secret of plan.secrets) undo.push(await putSecret(secret, machine));
    for (const change of plan.files) undo.push(await putFile(change, machine));
    for (const step of plan.steps) {
      ran.push(step);
      const failure = await run(step, machine);
      if (failure !== undefined && step.isVital) throw new RelayError('relay.setup.step-failed', failure);
      if (failure !== undefined) notes.push(`${failure} It takes effect at the next boot.`);
    }
    return notes;
  } catch (cause) {
    const left = await putBack(undo, ran, machine);
    const state = left.length === 0 ? 'The machine is as it was.' : `This could not be put back: ${left.join('; ')}.`;
    throw new RelayError('relay.setup.undone', `Setup stopped, and took back what it had done. ${state} The reason`, { cause });
  }
}

async function putSecret({ name, value }: SecretChange, { credentials }: Machine): Promise<Undo> {
  const before = await credentials.get(name);
  await credentials.put(name, value);
  return () => (before === undefined ? credentials.remove(name) : credentials.put(name, before));
}

async function putFile(change: FileChange, machine: Machine): Promise<Undo> {
  const before = await readFileIfAny(change.path);
  const was = before === undefined ? undefined : await stat(change.path);
  await write(change.path, change.text, change, machine);
  return async () => {
    await write(change.path, before, { mode: (was?.mode ?? change.mode) & 0o777, owner: change.owner }, machine);
  };
}

/** Writes a file with owner and mode, its folder too if need be; removes it where there is no text. */
export async function write(
  path: string,
  text: string | Uint8Array | undefined,
  { mode, owner }: { readonly mode: number; readonly owner: Owner },
  { own }: Pick<Machine, 'own'>,
): Promise<void> {
  if (text === undefined) {
    await rm(path, { force: true });
    return;
  }
  const folder = dirname(path);
  const made = await mkdir(folder, { recursive: true });
  // A folder made for one user's own file is that user's; the system's are everybody's to enter.
  if (made !== undefined) await own(folder, owner, owner.user === 'root' ? 0o755 : 0o700);
  await writeFileAtomic(path, text, mode);
  await own(path, owner, mode);
}

async function run({ what, program, args }: Step, { programs }: Machine): Promise<string | undefined> {
  const { code, err } = await programs.run(program, args, { timeoutMs: STEP_LIMIT_MS });
  if (code === 0) return undefined;
  return `${program} ${args.join(' ')}, to ${what}, ended with ${code}: ${err.trim().split('\n').slice(-3).join(' ') || 'it did not say why'}.`;
}

// In reverse; what was run is run again on what was there before.
async function putBack(undo: readonly Undo[], ran: readonly Step[], machine: Machine): Promise<readonly string[]> {
  const left: string[] = [];
  for (const each of undo.toReversed()) await each().catch((error: unknown) => left.push(messageOf(error)));
  for (const step of ran) {
    const failure = await run({ ...step, args: step.undo ?? step.args }, machine);
    if (failure !== undefined && step.isVital) left.push(failure);
  }
  return left;
}
