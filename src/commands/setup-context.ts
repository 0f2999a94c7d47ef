import { appendFile } from 'node:fs/promises';
import { appliancePlaces, type Places } from '../host/places.ts';
import { type Programs, systemPrograms } from '../host/run-program.ts';
import type { Dialogue } from '../setup/dialogue.ts';
import { createOwning, type Machine } from '../setup/machine.ts';
import { type MachineFiles, machineFiles } from '../setup/machine-files.ts';
import type { SetUpParts } from '../setup/set-up.ts';
import { whiptail } from '../setup/whiptail.ts';
import { createOutput, type Output } from './output.ts';

/** What the command works with; all of it the machine's own unless told. */
export interface SetupParts {
  readonly root?: string;
  readonly programs?: Programs;
  readonly own?: Machine['own'];
  readonly dialogue?: Dialogue;
  readonly isTerminal?: () => boolean;
  readonly isRoot?: () => boolean;
  readonly output?: Output;
  readonly look?: SetUpParts['look'];
}

/** The same, complete. */
export interface Context extends Required<Omit<SetupParts, 'look' | 'own'>> {
  readonly places: Places;
  readonly files: MachineFiles;
  readonly own: Machine['own'];
  readonly look: SetUpParts['look'];
}

/** Fills up with the machine's own. */
export function contextOf({ root = '/', own, look, ...given }: SetupParts): Context {
  const files = machineFiles(root);
  return {
    root,
    programs: systemPrograms,
    dialogue: whiptail,
    isTerminal: () => process.stdin.isTTY && process.stdout.isTTY,
    isRoot: () => process.getuid?.() === 0,
    output: createOutput(false),
    ...given,
    places: appliancePlaces(root),
    files,
    own: own ?? createOwning(files),
    look,
  };
}

/** Says it to whoever runs the command, and on the console. */
export async function say(text: string, context: Context): Promise<void> {
  context.output.line(text);
  await toConsole(text, context);
}

/** Says it on the console of the machine; whoever sits at a terminal has read it there. */
export async function toConsole(text: string, { files, isTerminal }: Context): Promise<void> {
  if (!isTerminal()) await appendFile(files.console, `\n${text}\n`).catch(() => {});
}
