/** Answers for tests: small, complete, and with everything. */
import type { Answers } from '../../src/setup/answers.ts';
import { readAnswers } from '../../src/setup/read-answers.ts';

export const BANK = '11111111-1111-4111-8111-111111111111';
export const PLANT = '22222222-2222-4222-8222-222222222222';
export const SHARED_KEY: string = Buffer.alloc(64, 'k').toString('base64');
export const SECRET = 'fX8Q~the-secret-of-the-application';
export const PROXY_PASSWORD = 'proxy-password-of-the-site';
export const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBz5v0m3cVJ5y4m3cVJ5y4m3cVJ5y4m3cVJ5y4m3cVJ5 admin@example.org, of the site';
export const PEM = '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUb3J0\n-----END CERTIFICATE-----\n';

interface GivenWorkspace {
  readonly id: string;
  readonly sharedKey?: string;
  readonly ruleId?: string;
  readonly client?: string;
  readonly path?: object;
  readonly [name: string]: unknown;
}

/** What an operator has to answer at least. */
export const SMALL: { readonly workspace: GivenWorkspace; readonly [name: string]: unknown } = {
  name: 'relay-01.example.org',
  address: '10.1.0.5/24',
  gateway: '10.1.0.1',
  dns: ['10.1.0.2'],
  ntp: ['time.example.org'],
  workspace: { id: BANK, endpoint: 'https://upstream.example.org:8443', sharedKey: SHARED_KEY, enrolmentKey: { name: 'site', approve: 'all' } },
  sshKeys: [SSH_KEY],
};

/** Every answer that there is. */
export const FULL: { readonly workspaces: readonly GivenWorkspace[]; readonly [name: string]: unknown } = {
  name: 'relay-02',
  domain: 'relay.example.org',
  interface: 'eth0',
  address: 'dhcp',
  dns: ['10.1.0.2', 'fd00::2'],
  ntp: ['time.example.org', '10.1.0.3'],
  management: { interface: 'eth1', address: '10.9.0.5/24', gateway: '10.9.0.1', networks: ['10.20.0.0/16', 'fd00:9::/64'] },
  workspaces: [
    {
      id: BANK,
      name: 'bank',
      protocol: 'logs-ingestion',
      endpoint: 'https://bank.ingest.example.org',
      ruleId: `dcr-${'0123456789abcdef'.repeat(2)}`,
      tenant: 'bank.example.org',
      client: '33333333-3333-4333-8333-333333333333',
      secret: SECRET,
      cloud: 'public',
      authority: 'https://login.example.org',
      trust: PEM,
      signInTrust: PEM,
      path: { kind: 'expressroute', sourceAddress: '10.2.0.2', interface: 'eth2', gateway: '10.2.0.1', peers: ['20.0.0.0/8'], addresses: ['20.1.2.3'] },
      enrolmentKey: { name: 'bank', key: SHARED_KEY, approve: 'web-*.bank.example.org' },
    },
    {
      id: PLANT,
      endpoint: 'https://plant.example.org:8443',
      sharedKey: SHARED_KEY,
      path: {
        kind: 'proxy',
        proxy: { host: 'proxy.example.org', port: 3128, user: 'relay', password: PROXY_PASSWORD, trust: PEM, except: ['*.site.example.org'] },
      },
    },
  ],
  sshKeys: [SSH_KEY],
  tunnel: true,
  metrics: { address: '10.9.0.5' },
  cacheLimit: '50GiB',
};

export function read(value: unknown, prefix = ''): Answers {
  return readAnswers({ from: 'the test', prefix, value });
}
