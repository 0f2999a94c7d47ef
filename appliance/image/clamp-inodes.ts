/** Reads what dumpe2fs says of an ext4 file system, and writes the commands for debugfs that set all times of every inode in use. */
import { readFileSync } from 'node:fs';

/** The root folder; the other inodes below this are the file system's own. */
const ROOT = 2;
const FIRST_OF_FILES = 11;
const TIMES = ['atime', 'ctime', 'mtime_extra', 'atime_extra', 'ctime_extra', 'crtime', 'crtime_extra'];

const [seconds = ''] = process.argv.slice(2);
const dump = readFileSync(0, 'utf8');
const count = Number(/^Inode count:\s+(\d+)$/m.exec(dump)?.[1]);
if (!Number.isInteger(count) || !/^\d+$/.test(seconds)) throw new Error('usage: dumpe2fs <image> | node clamp-inodes.ts <seconds since 1970>');

const free = new Set<number>();
for (const [, ranges = ''] of dump.matchAll(/Free inodes: (.*)/g)) {
  for (const range of ranges.split(',')) {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    for (let inode = from; inode <= to; inode += 1) free.add(inode);
  }
}
const used = Array.from({ length: count }, (_, index) => index + 1).filter((inode) => !free.has(inode) && (inode === ROOT || inode >= FIRST_OF_FILES));
for (const inode of used) {
  process.stdout.write(TIMES.map((time) => `sif <${inode}> ${time} ${time.endsWith('_extra') ? '0' : `@${seconds}`}\n`).join(''));
}
