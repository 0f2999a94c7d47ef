/**
 * Names in an export: `<target>/<workspace>/am-<Table>/y=2026/m=11/d=29/h=09/00000042.json.gz`. The hour is one of `_TimeReceived` (UTC), so that
 * an hour that is over gets no more rows, however old the events are that come late. The number is that of the file's line in the manifest.
 */

/** One line for each file, hash-chained and signed. */
export const MANIFEST = 'manifest.jsonl';
/** The signed note of the manifest's last line. */
export const HEAD = 'manifest.head';
/** The key that the lines are checked with. Note its fingerprint elsewhere: who can change the export can change this file. */
export const PUBLIC_KEY = 'public-key.pem';
/** Where files are written before they get their names. */
export const UNFINISHED = '.unfinished';

export const HOUR_MS = 3_600_000;

const TABLE = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;
const FILE = /^am-([A-Za-z_][A-Za-z0-9_]{0,99})\/y=\d{4}\/m=\d{2}\/d=\d{2}\/h=\d{2}\/(\d{8,15})\.json\.gz(\.sealed)?$/;

/** Whether a table's name can be that of a folder. */
export function isTableName(name: string): boolean {
  return TABLE.test(name);
}

export interface FileName {
  readonly table: string;
  /** Milliseconds since 1970. */
  readonly hour: number;
  /** Of its line in the manifest. */
  readonly number: number;
  readonly isSealed: boolean;
}

/** A file's path below the workspace's folder. */
export function filePath({ table, hour, number, isSealed }: FileName): string {
  const [year, month, day, h] = new Date(hour).toISOString().split(/[-T:]/);
  return `am-${table}/y=${year}/m=${month}/d=${day}/h=${h}/${String(number).padStart(8, '0')}.json.gz${isSealed ? '.sealed' : ''}`;
}

/** Whether a path is one that `filePath` makes; it then leads nowhere else. */
export function isFilePath(path: string): boolean {
  return FILE.test(path);
}
