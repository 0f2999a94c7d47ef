import { roughSize } from '../rough.ts';
import { tableOf } from '../table.ts';
import type { BundleFile, GatheredParts, LeftOut } from './gather-parts.ts';

export interface ManifestFacts extends GatheredParts {
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly version: string;
  /** Files of secrets that could not be read, so that nothing was looked for of what they hold. */
  readonly unread: readonly string[];
}

/** What is in the bundle, what is not and why: its first file. */
export function manifestOf({ files, leftOut, host, at, version, unread }: ManifestFacts): string {
  const paragraphs = [
    `Support bundle of relay ${version} on ${host}, made ${new Date(at).toISOString()}.`,
    'It holds no record that an agent sent, no key, no password and no token: none is gathered, and every text was searched for the secrets that this relay knows, and for what looks like one. What was found is written [secret]. It does hold names and addresses of this site.',
    `In it:\n${filesTable(files)}`,
    ...(leftOut.length === 0 ? [] : [`Left out:\n${leftOutTable(leftOut)}`]),
    ...(unread.length === 0
      ? []
      : [
          `These files of secrets could not be read, so what they hold was not looked for by name. Make the bundle as root or as the relay's own user to have it so:\n${unread.join('\n')}`,
        ]),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

/** The files, their sizes, what they are. */
export function filesTable(files: readonly BundleFile[]): string {
  return tableOf(files, [
    ['FILE', ({ file }) => file],
    ['SIZE', ({ bytes }) => roughSize(bytes)],
    ['WHAT', ({ what, note }) => (note === undefined ? what : `${what} (${note})`)],
  ]);
}

/** The parts that are missing, and why. */
export function leftOutTable(leftOut: readonly LeftOut[]): string {
  return tableOf(leftOut, [
    ['LEFT OUT', ({ file }) => file],
    ['WHY', ({ reason }) => reason],
  ]);
}
