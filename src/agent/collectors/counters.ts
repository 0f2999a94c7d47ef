import { currentLoad, disksIO, fsSize, mem, networkStats } from 'systeminformation';

/** The counters of one instance of an object, by the names the Linux agent uses; null where the machine has none. */
export interface Counters {
  readonly object: 'Processor' | 'Memory' | 'Logical Disk' | 'Network';
  readonly instance: string;
  readonly values: Readonly<Record<string, number | null | undefined>>;
}

const MEGABYTE = 1024 * 1024;
const TOTAL = '_Total';
/** Mounts or interfaces reported; container hosts have thousands. */
const MAX_INSTANCES = 64;

/** Each reads one kind of counter. Rates are since the group's last look, so the first has none. */
export const COUNTER_GROUPS: readonly (() => Promise<readonly Counters[]>)[] = [processor, memory, disks, diskTraffic, network];

async function processor(): Promise<Counters[]> {
  const load = await currentLoad();
  const values = {
    '% Processor Time': load.currentLoad,
    '% User Time': load.currentLoadUser,
    '% Privileged Time': load.currentLoadSystem,
    '% Idle Time': load.currentLoadIdle,
  };
  return [{ object: 'Processor', instance: TOTAL, values }];
}

async function memory(): Promise<Counters[]> {
  const { total, available, swaptotal, swapused } = await mem();
  const used = total - available;
  const values = {
    'Used Memory MBytes': used / MEGABYTE,
    'Available MBytes Memory': available / MEGABYTE,
    '% Used Memory': share(used, total),
    '% Available Memory': share(available, total),
    'Used MBytes Swap Space': swapused / MEGABYTE,
    'Available MBytes Swap': (swaptotal - swapused) / MEGABYTE,
    '% Used Swap Space': share(swapused, swaptotal),
  };
  return [{ object: 'Memory', instance: 'Memory', values }];
}

async function disks(): Promise<Counters[]> {
  const mounts = await fsSize();
  return mounts.slice(0, MAX_INSTANCES).map(({ mount, use, available }) => ({
    object: 'Logical Disk',
    instance: mount,
    values: { '% Used Space': use, '% Free Space': 100 - use, 'Free Megabytes': available / MEGABYTE },
  }));
}

// The kernel counts traffic by device, not by mount.
async function diskTraffic(): Promise<Counters[]> {
  // Null on machines without block devices.
  const traffic = (await disksIO()) as Awaited<ReturnType<typeof disksIO>> | null;
  const values = { 'Disk Reads/sec': traffic?.rIO_sec, 'Disk Writes/sec': traffic?.wIO_sec, 'Disk Transfers/sec': traffic?.tIO_sec };
  return [{ object: 'Logical Disk', instance: TOTAL, values }];
}

async function network(): Promise<Counters[]> {
  const interfaces = (await networkStats('*')).filter(({ iface }) => iface !== 'lo');
  return interfaces.slice(0, MAX_INSTANCES).map((each) => ({
    object: 'Network',
    instance: each.iface,
    values: {
      'Total Bytes Received': each.rx_bytes,
      'Total Bytes Transmitted': each.tx_bytes,
      'Total Bytes': each.rx_bytes + each.tx_bytes,
      'Total Rx Errors': each.rx_errors,
      'Total Tx Errors': each.tx_errors,
      'Bytes Received/sec': each.rx_sec,
      'Bytes Transmitted/sec': each.tx_sec,
    },
  }));
}

function share(part: number, whole: number): number {
  return whole > 0 ? (part / whole) * 100 : Number.NaN;
}
