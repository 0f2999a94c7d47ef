import { RelayError } from '../errors.ts';

const LEAST_CHARS = 12;
const MOST_CHARS = 1024;

/** A passphrase that a new backup may have. Throws `relay.backup.weak-passphrase`; the message never shows it. */
export function checkPassphrase(passphrase: string): string {
  const chars = [...passphrase].length;
  if (/\p{Cc}/u.test(passphrase)) throw refused('it holds a control character, such as a line break');
  if (chars < LEAST_CHARS) throw refused(`it has ${chars} characters`);
  if (chars > MOST_CHARS) throw refused(`it has ${chars} characters, more than ${MOST_CHARS}`);
  if (new Set(passphrase).size < LEAST_CHARS / 3) throw refused('it is the same few characters again and again');
  return passphrase;
}

function refused(why: string): RelayError {
  return new RelayError(
    'relay.backup.weak-passphrase',
    `This passphrase is not good enough: ${why}. Whoever finds the file can try passphrases for years: take ${LEAST_CHARS} characters or more, such as five words by chance.`,
  );
}
