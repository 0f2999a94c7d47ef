/** What answers are made of, where it is not what options are made of. */
import { isIP } from 'node:net';
import { text } from '../option-kinds.ts';
import type { Kind } from '../options.ts';

const MOST_PEM_CHARS = 64 * 1024;
const PEM_LINE = 64;
const SSH_KEY =
  /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]{40,}={0,3}(?: .*)?$/;
const CERTIFICATES = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** Host names of this machine: 64 characters at most, which is what Linux takes. */
export const machineName: Kind<string> = text('name', 'a host name such as relay-01 or relay-01.example.org, 64 characters at most', (value) =>
  /^(?=.{1,64}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(value),
);

/** Network interfaces, by names that need no quoting anywhere. */
export const link: Kind<string> = text('interface', 'the name of a network interface such as eth1', (value) => /^[A-Za-z0-9._-]{1,15}$/.test(value));

/** `dhcp`, or an address with the length of its network's prefix. */
export const ownAddress: Kind<string> = text('address', 'dhcp, or an address with the length of its network such as 10.1.0.5/24', (value) => {
  return value === 'dhcp' || isAddressWithLength(value);
});

/** Whether it is `10.1.0.5/24` or `fd00::5/64`. */
export function isAddressWithLength(value: string): boolean {
  const [address = '', length, ...more] = value.split('/');
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return more.length === 0 && /^\d{1,3}$/.test(length ?? '') && Number(length) >= 1 && Number(length) <= most;
}

/** Authorities in PEM, as many as they are. What a form made one line of is put right again; anything beside certificates is left out. */
export const authorities: Kind<string> = {
  name: 'PEM',
  allowed: 'certificates in PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----',
  range: '',
  read(found) {
    if (typeof found !== 'string' || found.length > MOST_PEM_CHARS || found.includes('PRIVATE KEY')) return undefined;
    const bodies = [...found.matchAll(CERTIFICATES)].map(([, body = '']) => body.replaceAll(/\s+/g, ''));
    return bodies.length === 0 ? undefined : bodies.map(pemOf).join('');
  },
  fromText: (value) => value,
  write: (value) => value,
  hidden: true,
};

function pemOf(body: string): string {
  const lines = body.match(new RegExp(`.{1,${PEM_LINE}}`, 'g')) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Keys in base64, of 16 bytes at least. */
export const keyText: Kind<string> = {
  ...text('key', 'a key in base64', (value) => /^[A-Za-z0-9+/]{22,}={0,2}$/.test(value)),
  hidden: true,
};

/** Passwords, and secrets of applications. */
export const secretText: Kind<string> = { ...text('secret', 'text without line breaks, 1,024 characters at most'), hidden: true };

/** Public keys as OpenSSH writes them. */
export const sshKey: Kind<string> = text('SSH key', 'a public key as in id_ed25519.pub: ssh-ed25519 AAAA… name', (value) => SSH_KEY.test(value));

/** Names of enrolment keys that the credential store takes as well. */
export const keyName: Kind<string> = text('name', 'a name of 1 to 64 small letters, digits, dots or hyphens, such as site', (value) =>
  /^[a-z0-9][a-z0-9.-]{0,63}$/.test(value),
);

/** Which machines an enrolment key lets in without an operator. */
export const approval: Kind<string> = text('approval', 'none, all, or a host name pattern such as web-*.example.org', (value) =>
  /^[a-z0-9._*?-]{1,253}$/i.test(value),
);
