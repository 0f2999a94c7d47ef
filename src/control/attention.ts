/** Something that needs attention. */
export interface Attention {
  /** `act`: somebody must do something, or data is or will be late or lost. `look`: it heals itself, or can wait until the morning. */
  readonly severity: 'act' | 'look';
  /** What, with the value found. */
  readonly text: string;
  /** What to type. */
  readonly command: string;
}

export const act = (text: string, command: string): Attention => ({ severity: 'act', text, command });
export const look = (text: string, command: string): Attention => ({ severity: 'look', text, command });

/** One line for one of them. What others said, a workspace's answer for one, must not reach a terminal as a command. */
export function sentenceOf({ text, command }: Attention): string {
  return `${text} → ${command}`.replaceAll(/\p{Cc}+/gu, ' ');
}

/** A time for people: UTC, to the second. */
export function timeOf(ms: number | undefined): string {
  return ms === undefined ? 'an unknown time' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
