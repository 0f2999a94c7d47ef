/**
 * Puts GRUB for BIOS on a disk, as grub-bios-setup does it to a device: its first stage into the first sector, its core where the partition for
 * it begins. The places in both are those of GRUB 2's i386-pc boot.S and diskboot.S.
 */
import { openSync, readFileSync, readSync, writeSync } from 'node:fs';

const SECTOR = 512;
/** Where the partition "bios" begins, and how much it holds. */
const CORE_SECTOR = 2048n;
const CORE_LIMIT = 1024 * 1024;
/** Of the first sector, what comes after this is the partition table. */
const BOOT_CODE = 440;

/** In the first stage: the sector of the core (64 bits), and a jump over a work-around for BIOSes that name the wrong drive. */
const KERNEL_SECTOR_AT = 0x5c;
const DRIVE_CHECK_AT = 0x66;
const NO_OPERATION = [0x90, 0x90];
/** At the end of the core's first sector: where the rest is (64 bits), and how many sectors. */
const REST_AT = 0x1f4;
const REST_LENGTH_AT = 0x1fc;

const [bootFile = '', coreFile = '', diskFile = ''] = process.argv.slice(2);
const boot = readFileSync(bootFile).subarray(0, BOOT_CODE);
boot.writeBigUInt64LE(CORE_SECTOR, KERNEL_SECTOR_AT);
boot.set(NO_OPERATION, DRIVE_CHECK_AT);

const made = readFileSync(coreFile);
const core = Buffer.alloc(Math.ceil(made.length / SECTOR) * SECTOR);
if (core.length > CORE_LIMIT) throw new Error(`GRUB's core takes ${core.length} bytes; its partition holds ${CORE_LIMIT}`);
made.copy(core);
core.writeBigUInt64LE(CORE_SECTOR + 1n, REST_AT);
core.writeUInt16LE(core.length / SECTOR - 1, REST_LENGTH_AT);

const disk = openSync(diskFile, 'r+');
const first = Buffer.alloc(SECTOR);
readSync(disk, first, 0, SECTOR, 0);
boot.copy(first);
writeSync(disk, first, 0, SECTOR, 0);
writeSync(disk, core, 0, core.length, Number(CORE_SECTOR) * SECTOR);
