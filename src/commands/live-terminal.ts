/** A screen that is drawn again and again on a terminal, and gives back what was there before. */

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** The part of a terminal that is drawn on. */
export interface TerminalStream {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface LiveTerminal {
  draw(lines: readonly string[]): void;
  /** Safe to call twice. */
  close(): void;
}

/** Takes the alternate screen. What is drawn replaces what was drawn before without flicker. */
export function openLiveTerminal(stream: TerminalStream): LiveTerminal {
  let isOpen = true;
  stream.write(ENTER);
  return {
    draw(lines) {
      if (isOpen) stream.write(frameOf(lines, stream));
    },
    close() {
      if (isOpen) stream.write(LEAVE);
      isOpen = false;
    },
  };
}

/** What is written to show these lines: as many, and as much of each, as there is room for. */
export function frameOf(lines: readonly string[], { columns = 80, rows = 24 }: Omit<TerminalStream, 'write'>): string {
  const fitting = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), '…'];
  const cut = fitting.map((line) => {
    const characters = [...line];
    return characters.length <= columns ? line : `${characters.slice(0, columns - 1).join('')}…`;
  });
  return HOME + cut.map((line) => line + CLEAR_LINE).join('\r\n') + CLEAR_BELOW;
}
