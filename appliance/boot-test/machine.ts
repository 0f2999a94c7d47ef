/** One virtual machine over its lives: disk, firmware variables and TPM stay, as with a real one. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';
import { type Daemon, runNow, startDaemon } from './programs.ts';
import { type Forward, type MachineShape, qemuArguments } from './qemu-arguments.ts';
import { type Ssh, sshTo } from './ssh.ts';

const POLL_MS = 1_000;
const POWER_OFF_MS = 300_000;
const VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd';

export interface MachineOptions extends MachineShape {
  /** The image; it stays as it is. */
  readonly image: string;
  /** A folder of its own. */
  readonly folder: string;
  /** Files of the NoCloud disk by name; no such disk without. */
  readonly answers?: Readonly<Record<string, string>>;
  readonly hasTpm?: boolean;
  /** Name of the host's tap device for the second card. */
  readonly tap?: string | undefined;
  /** Ports of the machine that the host reaches; 22 always. */
  readonly ports: readonly number[];
  /** The administrator's private key. */
  readonly sshKey: string;
  /** How long to wait for anything that a boot brings. */
  readonly patienceMs: number;
}

export interface VirtualMachine extends AsyncDisposable {
  readonly ssh: Ssh;
  /** The host's port for this one of the machine's. */
  port(guestPort: number): number;
  boot(how?: { readonly withTpm: boolean }): Promise<void>;
  /** Gives it a further disk (raw) from the next boot on. */
  attach(disk: string): void;
  /** Makes its first disk so much larger while it is off. */
  growDisk(gib: number): void;
  /** As if its power had been cut. */
  cutPower(): Promise<void>;
  powerOff(): Promise<void>;
  /** What the serial console showed since the last boot. */
  console(): Promise<string>;
  /** Waits until `condition` holds; rejects when the time is over, or when the machine is gone. */
  until<T>(what: string, condition: () => Promise<T | undefined>): Promise<T>;
}

export async function createMachine(options: MachineOptions): Promise<VirtualMachine> {
  const { folder, image, patienceMs } = options;
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  runNow('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image, at('disk.qcow2')]);
  await copyFile(VARIABLES, at('variables.fd'));
  const answers = options.answers && (await answersDisk(folder, options.answers));
  const forwards: Forward[] = [];
  for (const guestPort of new Set([22, ...options.ports])) forwards.push({ guestPort, hostPort: await freePort() });
  const port = (guestPort: number): number => {
    const found = forwards.find((forward) => forward.guestPort === guestPort);
    if (!found) throw new Error(`the machine's port ${guestPort} is not forwarded`);
    return found.hostPort;
  };
  let qemu: Daemon | undefined;
  let tpm: Daemon | undefined;
  let boots = 0;
  const more: string[] = [];
  const serial = (): string => at(`serial-${boots}.log`);
  const console = async (): Promise<string> => await readFile(serial(), 'utf8').catch(() => '');

  const until: VirtualMachine['until'] = async (what, condition) => {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const found = await condition().catch(() => undefined);
      if (found !== undefined) return found;
      if (!qemu || qemu.hasEnded()) throw new Error(`waited for: ${what}; the machine is gone. Its console: ${serial()}`);
      if (performance.now() > deadline)
        throw new Error(`waited ${Math.round(patienceMs / 1000)} s in vain for: ${what}. Its console ends so (${serial()}):\n${tailOf(await console())}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const gone = async (): Promise<void> => {
    await qemu?.ended;
    await tpm?.end('SIGTERM');
    qemu = undefined;
    tpm = undefined;
  };
  const cutPower = async (): Promise<void> => {
    await qemu?.end('SIGKILL');
    await gone();
  };

  const ssh = sshTo(port(22), options.sshKey);
  return {
    ssh,
    port,
    console,
    until,
    cutPower,
    attach: (disk) => void more.push(disk),
    growDisk: (gib) => void runNow('qemu-img', ['resize', '-q', at('disk.qcow2'), `+${gib}G`]),
    async boot({ withTpm } = { withTpm: options.hasTpm ?? false }) {
      if (qemu) throw new Error('the machine runs already');
      boots += 1;
      await rm(at('tpm.sock'), { force: true });
      if (withTpm) tpm = startDaemon('swtpm', tpmArguments(folder, at('tpm.sock')), at('tpm.log'));
      const files = { disk: at('disk.qcow2'), more, answers, variables: at('variables.fd'), serial: serial(), tpm: withTpm ? at('tpm.sock') : undefined };
      await rm(serial(), { force: true });
      const args = qemuArguments(options, files, forwards, options.tap);
      await writeFile(at('command'), `qemu-system-x86_64 ${args.join(' ')}\n`);
      if (withTpm) await eventually('the software TPM listens', () => existsSync(at('tpm.sock')));
      qemu = startDaemon('qemu-system-x86_64', args, at('qemu.log'));
    },
    async powerOff() {
      await ssh.try('systemctl poweroff --no-block');
      const timer = setTimeout(() => void qemu?.end('SIGKILL'), POWER_OFF_MS);
      await gone();
      clearTimeout(timer);
    },
    [Symbol.asyncDispose]: cutPower,
  };
}

async function answersDisk(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  const source = join(folder, 'answers');
  await mkdir(source, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(source, name), content);
  const disk = join(folder, 'answers.iso');
  runNow('genisoimage', ['-quiet', '-output', disk, '-volid', 'cidata', '-joliet', '-rock', source]);
  return disk;
}

function tpmArguments(folder: string, socket: string): readonly string[] {
  const state = join(folder, 'tpm');
  runNow('mkdir', ['-p', state]);
  return ['socket', '--tpm2', '--tpmstate', `dir=${state}`, '--ctrl', `type=unixio,path=${socket}`, '--flags', 'startup-clear'];
}

function tailOf(text: string): string {
  return text.split('\n').slice(-25).join('\n');
}
