/** What a gatherer came back with: a text, or why there is none. */
export type Gathered =
  | {
      readonly text: string;
      /** What a reader should know of where it comes from. */
      readonly note?: string | undefined;
    }
  | { readonly leftOut: string };

/** One file of a bundle, and who gathers it. */
export interface Part {
  /** Its name in the bundle: `status.json`. */
  readonly file: string;
  /** What it is, in a few words, for the operator who decides whether it may leave the site. */
  readonly what: string;
  /** Which end stays when it is too long; the beginning unless given. */
  readonly keeps?: 'beginning' | 'end';
  /** Milliseconds it may take, when it is not as quick as the others. */
  readonly limitMs?: number;
  /** The signal is aborted when time is over. Whatever it throws is told as the reason why the part is left out. */
  gather(signal: AbortSignal): Promise<Gathered>;
}

/** A value as a person can read it and a program too. */
export function asJson(value: unknown, note?: string): Gathered {
  return { text: `${JSON.stringify(value, null, 2)}\n`, note };
}

/** Values as JSON, each on a line of its own. */
export function asJsonLines(values: readonly unknown[], note?: string): Gathered {
  return { text: values.map((value) => `${JSON.stringify(value)}\n`).join(''), note };
}
