import { hashOfPair } from '../vectors/pair-index.ts';

/** Two 32-bit words that a text is mixed into (cyrb53's way). Not for secrets. */
export function hashText(text: string, into: Uint32Array): void {
  let high = 0xdead_beef;
  let low = 0x41c6_ce57;
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    high = Math.imul(high ^ unit, 0x9e37_79b1);
    low = Math.imul(low ^ unit, 0x5f35_6495);
  }
  into[0] = hashOfPair(high, low);
  into[1] = hashOfPair(low, high ^ 0x85eb_ca77);
}

/** Two 32-bit words that the 64 bits of a number are mixed into. */
export function createNumberHash(): (value: number, into: Uint32Array) => void {
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  return (value, into) => {
    number[0] = value + 0;
    into[0] = hashOfPair(words[0] as number, words[1] as number);
    into[1] = hashOfPair(words[1] as number, (words[0] as number) ^ 0x85eb_ca77);
  };
}
