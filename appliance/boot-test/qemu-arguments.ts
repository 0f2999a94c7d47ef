/** The machine that a scenario boots, as arguments of qemu-system-x86_64: software emulation, nothing of the host's but what is named. */

export interface MachineShape {
  /** What starts it. Secure Boot: only what Microsoft's and Debian's keys have signed. */
  readonly firmware: 'bios' | 'secure-boot';
  readonly memoryMib: number;
  readonly processors: number;
}

export interface MachineFiles {
  readonly disk: string;
  /** Further disks, raw. */
  readonly more: readonly string[];
  /** NoCloud. */
  readonly answers: string | undefined;
  /** The firmware's variables. */
  readonly variables: string;
  readonly serial: string;
  /** Socket of a software TPM. */
  readonly tpm: string | undefined;
}

export interface Forward {
  readonly hostPort: number;
  readonly guestPort: number;
}

/** MAC addresses of the two cards: one to the host by forwarded ports, one on a network of its own with the host. */
export const MACS = { forwarded: '52:54:00:00:00:0a', direct: '52:54:00:00:00:0b' } as const;
/** What Linux calls them, from their places on the bus. */
export const CARDS = { forwarded: 'enp0s3', direct: 'enp0s4' } as const;

export function qemuArguments(shape: MachineShape, files: MachineFiles, forwards: readonly Forward[], tap: string | undefined): readonly string[] {
  return [
    ...['-machine', shape.firmware === 'secure-boot' ? 'q35,smm=on' : 'q35'],
    // No AVX: QEMU 7.2 has just learnt to emulate it, and Node's compiled code was seen to end by a trap there.
    ...['-accel', 'tcg,thread=multi,tb-size=256', '-cpu', 'Westmere,+rdrand'],
    ...['-smp', String(shape.processors), '-m', String(shape.memoryMib)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-vga', 'none', '-monitor', 'none', '-no-reboot'],
    ...['-serial', `file:${files.serial}`],
    ...['-device', 'virtio-rng-pci'],
    // What the guest has flushed is in the image file when QEMU is killed; what it has not may be lost, as with a disk's own cache.
    ...['-drive', `file=${files.disk},format=qcow2,if=virtio,cache=writeback,discard=unmap`],
    ...files.more.flatMap((disk) => ['-drive', `file=${disk},format=raw,if=virtio`]),
    ...(files.answers === undefined ? [] : ['-drive', `file=${files.answers},format=raw,if=virtio,readonly=on`]),
    ...['-netdev', ['user,id=forwarded', ...forwards.map(({ hostPort, guestPort }) => `hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`)].join(',')],
    ...['-device', `virtio-net-pci,netdev=forwarded,mac=${MACS.forwarded},addr=0x3`],
    ...(tap === undefined ? [] : ['-netdev', `tap,id=direct,ifname=${tap},script=no,downscript=no`]),
    ...(tap === undefined ? [] : ['-device', `virtio-net-pci,netdev=direct,mac=${MACS.direct},addr=0x4`]),
    ...(shape.firmware === 'secure-boot' ? secureBoot(files.variables) : []),
    ...(files.tpm === undefined
      ? []
      : ['-chardev', `socket,id=tpm,path=${files.tpm}`, '-tpmdev', 'emulator,id=tpm0,chardev=tpm', '-device', 'tpm-crb,tpmdev=tpm0']),
  ];
}

function secureBoot(variables: string): readonly string[] {
  return [
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', 'if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd'],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${variables}`],
  ];
}
