/** How setup asks a person, one box at a time. */

/** A box with a text to be read and an answer to be given. */
export type Question =
  | { readonly kind: 'text'; readonly title: string; readonly text: string; readonly initial: string }
  /** What is typed is not shown. */
  | { readonly kind: 'secret'; readonly title: string; readonly text: string }
  | { readonly kind: 'choice'; readonly title: string; readonly text: string; readonly choices: readonly Choice[]; readonly initial: string }
  | { readonly kind: 'confirm'; readonly title: string; readonly text: string; readonly yes: string };

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** `back`: to the box before. `left`: the person wants out. */
export type Said = { readonly kind: 'said'; readonly text: string } | { readonly kind: 'back' } | { readonly kind: 'left' };

export interface Dialogue {
  /** Of a `confirm` that is agreed to the text is empty. */
  ask(question: Question): Promise<Said>;
  /** Shows something until it is put away. */
  tell(title: string, text: string): Promise<void>;
}
