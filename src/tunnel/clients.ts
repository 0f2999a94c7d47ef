import { BlockList, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TunnelClients } from './options.ts';
import type { Refusal } from './refusals.ts';

/** Whether the certificate with this DER is an approved agent's; if not, why. */
export type IsKnown = (certificate: Buffer) => { readonly known: true } | { readonly known: false; readonly message: string };

export interface ClientsSettings {
  readonly clients: TunnelClients;
  /** Networks (CIDR) and addresses. */
  readonly addresses: readonly string[];
  readonly isKnown: IsKnown;
}

/** Why a client may not use the tunnel; undefined when it may. Asked when a tunnel is wanted, and again while it is open. */
export type JudgeClient = () => Refusal | undefined;

/** Who may use the tunnel. */
export function createClients({ clients, addresses, isKnown }: ClientsSettings): (socket: Socket) => JudgeClient {
  const allowed = new BlockList();
  for (const network of addresses) allow(allowed, network);

  return (socket) => {
    if (clients === 'anyone') return () => undefined;
    if (clients === 'addresses') {
      const remote = socket.remoteAddress ?? '';
      const isAllowed = isIP(remote) !== 0 && allowed.check(remote, isIP(remote) === 6 ? 'ipv6' : 'ipv4');
      return () => (isAllowed ? undefined : { reason: 'client-address', found: `the address is ${remote}` });
    }
    const certificate = (socket as TLSSocket).getPeerX509Certificate?.()?.raw;
    return () => {
      if (!certificate) return { reason: 'client-certificate', found: 'there is no client certificate' };
      const found = isKnown(certificate);
      return found.known ? undefined : { reason: 'client-certificate', found: found.message.replace(/\.$/, '') };
    };
  };
}

function allow(list: BlockList, network: string): void {
  const [start = '', prefix] = network.split('/');
  const family = isIP(start) === 6 ? 'ipv6' : 'ipv4';
  if (prefix === undefined) list.addAddress(start, family);
  else list.addSubnet(start, Number(prefix), family);
}
