import { join } from 'node:path';

/** Secrets that are kept for the operator and never given to the relay: keys for machines that have yet to enrol. */
export const ENROLMENT_KEY_PREFIX = 'enrolment-key-';

/**
 * The drop-in of relay.service that has systemd open each credential at the start, one line a file: of a directory as a whole systemd 252 would make other
 * names than those that were sealed into the files.
 */
export function credentialsDropIn(names: readonly string[], folder: string): string {
  const lines = names
    .filter((name) => !name.startsWith(ENROLMENT_KEY_PREFIX))
    .toSorted()
    .map((name) => `LoadCredentialEncrypted=${name}:${join(folder, name)}`);
  return `# Written by relay setup from the files in ${folder}.\n[Service]\n${lines.join('\n')}\n`;
}
