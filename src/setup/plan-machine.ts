import type { Answers } from './answers.ts';
import type { Facts } from './facts.ts';
import type { MachineFiles } from './machine-files.ts';
import { machineNetworkOf } from './machine-network.ts';
import { authorizedKeysText, cloudSettingsText, exporterText, resolverText, timeSourcesText } from './machine-texts.ts';
import { netplanOf } from './netplan.ts';
import { managementListens } from './options-of-answers.ts';
import { changeOf, type FileChange, OPS, ROOT, type Step } from './planned.ts';

/** How a file follows from answers; whoever changed it by hand since keeps the change, until the answers give another. */
interface Rule {
  readonly path: string;
  readonly make: (answers: Answers) => string | undefined;
  /** It stays when the answers speak of it no more. */
  readonly stays?: boolean;
}

function byRule(now: Answers, facts: Facts, { path, make, stays = false }: Rule): FileChange[] {
  const found = facts.files.get(path);
  const text = make(now);
  const before = facts.last && make(facts.last.answers);
  if (text === undefined && (stays || found === undefined || found !== before)) return [];
  if (text !== undefined && text === before && found !== undefined) return [];
  return changeOf(facts.files, { path, text, mode: path.includes('/netplan/') ? 0o600 : 0o644, owner: ROOT });
}

interface MachineParts {
  readonly files: MachineFiles;
  readonly device: string | undefined;
}

/** The files of the machine itself that the answers change. `device`: the interface of the agents' side. */
export function machineChanges(now: Answers, facts: Facts, { files, device }: MachineParts): readonly FileChange[] {
  const rules: readonly Rule[] = [
    { path: files.hostName, make: ({ name }) => `${name}\n` },
    { path: files.cloudSettings, make: ({ address }) => cloudSettingsText({ ownsNetwork: address !== undefined }), stays: true },
    { path: files.resolver, make: ({ dns }) => (dns?.length ? resolverText(dns) : undefined) },
    { path: files.timeSources, make: ({ ntp }) => (ntp?.length ? timeSourcesText(ntp) : undefined), stays: true },
    { path: files.machineNetwork, make: machineNetworkOf },
    { path: files.netplan, make: (answers) => netplanOf(answers, device), stays: true },
  ];
  return [...rules.flatMap((rule) => byRule(now, facts, rule)), ...cloudNetplan(now, facts, files), ...exporter(now, facts, files), ...keys(now, facts, files)];
}

// Two files for one interface would be added together.
function cloudNetplan({ address }: Answers, facts: Facts, { cloudNetplan: path }: MachineFiles): FileChange[] {
  const found = facts.files.get(path);
  if (address === undefined || found === undefined) return [];
  return [
    { path: `${path}.before`, text: found, before: undefined, mode: 0o600, owner: ROOT },
    { path, text: undefined, before: found, mode: 0o600, owner: ROOT },
  ];
}

function exporter(now: Answers, facts: Facts, { exporter: path }: MachineFiles): FileChange[] {
  const found = facts.files.get(path);
  const before = facts.last && managementListens(facts.last.answers);
  const address = managementListens(now) ?? (before === undefined ? undefined : '127.0.0.1');
  if (found === undefined || address === undefined || (facts.last && before === managementListens(now))) return [];
  const text = exporterText(found, address);
  return text === undefined ? [] : changeOf(facts.files, { path, text, mode: 0o644, owner: ROOT });
}

function keys(now: Answers, facts: Facts, { authorizedKeys: path }: MachineFiles): FileChange[] {
  const found = facts.files.get(path);
  const text = authorizedKeysText(found ?? '', { before: facts.last?.answers.sshKeys ?? [], now: now.sshKeys ?? [] });
  return text === undefined ? [] : changeOf(facts.files, { path, text, mode: 0o600, owner: OPS });
}

interface StepParts {
  readonly files: readonly FileChange[];
  readonly machine: MachineFiles;
}

/** What must be run for these changes to take effect, in this order. */
export function stepsFor({ name }: Answers, facts: Facts, { files, machine }: StepParts): readonly Step[] {
  const has = (...paths: readonly string[]): boolean => files.some(({ path }) => paths.includes(path));
  const when = (is: boolean, what: string, isVital: boolean, [program = '', ...args]: readonly string[]): Step[] =>
    is ? [{ what, program, args, isVital }] : [];
  return [
    ...when(has(machine.hostName) && facts.hostName !== name, 'give the machine its name', true, ['hostnamectl', 'set-hostname', name]).map((step) => ({
      ...step,
      undo: ['set-hostname', facts.hostName],
    })),
    ...when(has(machine.netplan, machine.cloudNetplan), 'set up the network', true, ['netplan', 'apply']),
    ...when(has(machine.resolver), 'use the name servers', false, ['systemctl', 'restart', 'systemd-resolved.service']),
    ...when(has(machine.timeSources), 'use the time servers', false, ['chronyc', 'reload', 'sources']),
    ...when(has(machine.exporter), 'have the exporter listen elsewhere', false, ['systemctl', 'try-restart', 'prometheus-node-exporter.service']),
    ...when(has(machine.credentialsDropIn), 'read the units anew', true, ['systemctl', 'daemon-reload']),
  ];
}
