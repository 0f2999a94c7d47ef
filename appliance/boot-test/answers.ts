/** The files of a NoCloud disk. */
import { stringify } from 'yaml';
import { CARDS, MACS } from './qemu-arguments.ts';
import { type Site, WORKSPACE } from './site.ts';
import { BEYOND, DIRECT } from './tap.ts';

/** Sections of the answers. */
export type Answers = Readonly<Record<string, unknown>>;

/** user-data and meta-data with these answers, under the key that relay setup looks for. */
export function cloudFiles(answers: Answers, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { 'user-data': `#cloud-config\n${inYaml({ relay: answers })}`, 'meta-data': 'instance-id: boot-test\n', ...more };
}

/** What the machine is told of the site's workspace: its service is reached by the direct network, from the machine's address there. */
export function workspaceAnswers({ endpoint, sharedKey, trust, enrolmentKey }: Site): Answers {
  return {
    id: WORKSPACE,
    name: 'boot test',
    endpoint,
    sharedKey,
    trust,
    path: { kind: 'expressroute', sourceAddress: DIRECT.machine, interface: CARDS.direct, gateway: DIRECT.host, addresses: [BEYOND], peers: [`${BEYOND}/32`] },
    enrolmentKey: { name: 'site', key: enrolmentKey, approve: 'all' },
  };
}

/** cloud-init's network for both cards: the forwarded one by DHCP with the default route, the direct one with a fixed address and no route. */
export function bothCards(): string {
  return inYaml({
    version: 2,
    ethernets: {
      [CARDS.forwarded]: { match: { macaddress: MACS.forwarded }, dhcp4: true },
      [CARDS.direct]: { match: { macaddress: MACS.direct }, addresses: [`${DIRECT.machine}/${DIRECT.prefix}`] },
    },
  });
}

// cloud-init reads YAML 1.1, where some texts without quotes are numbers to base sixty.
function inYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0 });
}
