/** A key pair on a token. */
export interface TokenKey {
  /** Its CKA_ID, in hexadecimal. */
  readonly id: string;
}

/**
 * The keys with this label in what `pkcs11-tool --list-objects` writes, those without an id left out, the one with the highest id last. Each object
 * is a line at the margin and lines below it, set in: `label:      bank`, `ID:         01`.
 */
export function tokenKeysOf(listing: string, label: string): readonly TokenKey[] {
  const objects = listing.split(/^(?=\S)/m);
  const ids = objects.filter((object) => fieldOf(object, 'label') === label).map((object) => fieldOf(object, 'ID')?.toLowerCase());
  return ids
    .filter((id) => id !== undefined && /^[0-9a-f]{2,64}$/.test(id))
    .map((id) => ({ id: String(id) }))
    .sort((one, other) => Number(BigInt(`0x${one.id}`) - BigInt(`0x${other.id}`)));
}

function fieldOf(object: string, name: string): string | undefined {
  return new RegExp(`^  ${name}: +(.*)$`, 'm').exec(object)?.[1];
}
