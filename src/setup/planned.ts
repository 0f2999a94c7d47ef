import type { EnrolmentKeyAnswers } from './workspace-answers.ts';

/** A file to be written, or removed where `text` is undefined. */
export interface FileChange {
  readonly path: string;
  readonly text: string | undefined;
  readonly before: string | undefined;
  readonly mode: number;
  readonly owner: Owner;
}

/** Names of a user and a group. */
export interface Owner {
  readonly user: string;
  readonly group: string;
}

/** A secret to be put into the credential store. */
export interface SecretChange {
  readonly name: string;
  readonly value: string;
}

/** A program to be run once the files are there. */
export interface Step {
  readonly what: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Where it fails, everything is put back; otherwise it is told, and takes effect at the next boot. */
  readonly isVital: boolean;
  /** Arguments that take it back; the same program is run with the same ones on the files from before unless given. */
  readonly undo?: readonly string[];
}

/** An enrolment key that there shall be, in the relay once it runs. */
export interface WantedKey extends EnrolmentKeyAnswers {
  readonly name: string;
  readonly workspaceId: string;
}

export interface Plan {
  readonly secrets: readonly SecretChange[];
  readonly files: readonly FileChange[];
  readonly steps: readonly Step[];
  /** A running relay must be started anew. */
  readonly restartsRelay: boolean;
  readonly enrolmentKeys: readonly WantedKey[];
  /** The whole of relay.yaml, changed or not. */
  readonly configuration: string;
  /** The whole of netplan's file, where it changes. */
  readonly netplan: string | undefined;
  /** What the operator should know, a sentence each. */
  readonly notes: readonly string[];
}

export const ROOT: Owner = { user: 'root', group: 'root' };
export const RELAY: Owner = { user: 'root', group: 'relay' };
export const OPS: Owner = { user: 'ops', group: 'ops' };

/** Whether there is nothing to do: the machine is as the answers say. */
export function isEmpty({ secrets, files, steps }: Plan): boolean {
  return secrets.length === 0 && files.length === 0 && steps.length === 0;
}

/** The change that a file needs: none where it holds this text already, or is not there as it shall not be. */
export function changeOf(found: ReadonlyMap<string, string>, wanted: Omit<FileChange, 'before'>): FileChange[] {
  const before = found.get(wanted.path);
  return before === wanted.text ? [] : [{ ...wanted, before }];
}
