import { RelayError } from '../../errors.ts';

const MAX_CHARS = 400;
// No dot in front: ".." is none, and drafts and the marker are nobody's objects.
const PART = /^[A-Za-z0-9_][A-Za-z0-9._=-]{0,119}$/;

/** Below the private storage, where its exports are: files of their own, not objects. */
export const EXPORTS = 'exports';

/** Whether a text is an object's name: parts of letters, digits and `._=-`, with `/` between them, 400 characters at most; none begins with a dot,
 * and the first is not `exports`. */
export function isObjectName(name: string): boolean {
  return name.length <= MAX_CHARS && name.split('/')[0] !== EXPORTS && name.split('/').every((part) => PART.test(part));
}

/** Throws `relay.local-workspace.bad-object-name` for what is none. */
export function checkObjectName(name: string): void {
  if (isObjectName(name)) return;
  throw new RelayError(
    'relay.local-workspace.bad-object-name',
    `${JSON.stringify(name.slice(0, 80))} is no name in the private storage. Use letters, digits and ._=- with / between the parts, ${MAX_CHARS} characters at most; no part begins with a dot, and the first is not "${EXPORTS}".`,
  );
}
