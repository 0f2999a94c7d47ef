import type { Steps } from './steps.ts';

/** What every scenario gets. */
export interface Bench {
  readonly steps: Steps;
  /** The image (qcow2). */
  readonly image: string;
  /** A folder of its own, emptied before. */
  readonly folder: string;
  readonly sshKey: string;
  /** One line, as in authorized_keys. */
  readonly sshPublicKey: string;
  /** How long to wait for anything that a boot brings, in milliseconds. */
  readonly patienceMs: number;
}

/** Something that must work in a real machine. Add one: a file in scenarios/, and its line in scenarios.ts. */
export interface Scenario {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** Rejects when it does not. */
  run(bench: Bench): Promise<void>;
}
