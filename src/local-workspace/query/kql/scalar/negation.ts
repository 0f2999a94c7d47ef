/** An operator's name without its `!`: `!in~` is `in~`. */
export function nameWithoutNot(operator: string): string {
  return operator.startsWith('!') ? operator.slice(1) : operator;
}
