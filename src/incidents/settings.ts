import { duration, host, list, oneOf, path, port, secretFile, text, wholeNumber } from '../option-kinds.ts';
import { check, option, optional, type Schema, section } from '../options.ts';
import { SEVERITIES, type Severity } from './incident.ts';

/** Durations are milliseconds. */
export interface IncidentsSettings {
  readonly notifyFrom: Severity;
  /** People are reminded of an incident that nobody has looked at after so long. */
  readonly remindAfter: number;
  /** How long closed incidents are kept. */
  readonly keep: number;
  readonly thresholds: ThresholdSettings;
  readonly webhook: WebhookSettings;
  readonly mail: MailSettings;
}

export interface ThresholdSettings {
  readonly certificatesRefused: number;
  readonly badTokens: number;
  readonly within: number;
}

export interface WebhookSettings {
  /** An https address; no webhook without. */
  readonly url?: string | undefined;
  /** File with the secret that signs what is sent. */
  readonly secretFile?: string | undefined;
  readonly trustFile?: string | undefined;
}

export interface MailSettings {
  /** The SMTP server; no mail without. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly tls: 'starttls' | 'implicit';
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly from?: string | undefined;
  readonly to: readonly string[];
  readonly trustFile?: string | undefined;
}

const hookAddress = text('address', 'an https address such as https://hooks.example.org/relay, without user, password and fragment', (value) => {
  const url = URL.parse(value);
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
});

const mailAddress = text('mail address', 'a mail address such as relay@example.org', (value) => {
  const [, domain] = /^[^\s@<>()[\],;:\\"]{1,64}@([^@]+)$/.exec(value) ?? [];
  return domain !== undefined && host.read(domain) !== undefined;
});

const thresholds = section<ThresholdSettings>({
  certificatesRefused: option(wholeNumber(1, 1_000_000), 20, 'So many refused certificates within incidents.thresholds.within are an incident.'),
  badTokens: option(wholeNumber(1, 1_000_000), 20, 'So many refused tokens, keys and passwords within that time are an incident.'),
  within: option(duration({ from: '1m', to: '1d' }), '10m', 'The time within which they are counted.'),
});

const webhook = check(
  section<WebhookSettings>({
    url: optional(hookAddress, 'none', 'Where notices of incidents are posted as JSON. Of the answer only the status counts; redirects are not followed.'),
    secretFile: optional(secretFile, 'none', 'File with the secret that signs them (HMAC-SHA256), mode 0600. A changed file takes effect at once.'),
    trustFile: optional(path, "the system's", 'File with the authorities (PEM) that the receiver is verified by.'),
  }),
  {
    at: ['secretFile'],
    isGood: ({ url, secretFile: file }) => (url === undefined) === (file === undefined),
    problem: ({ url }) => (url === undefined ? 'found a secret without a url; give both or neither' : 'missing; url and secretFile go together'),
  },
);

const mailFields = section<MailSettings>({
  host: optional(host, 'none', 'The SMTP server that takes mails about incidents.'),
  port: optional(port, '587; 465 with implicit TLS', 'Its port.'),
  tls: option(
    oneOf(['starttls', 'implicit'] as const),
    'starttls',
    'With starttls the connection must change to TLS before anything is said, with implicit it begins with TLS. Nothing is ever sent in the clear.',
  ),
  user: optional(text('name', 'a user name'), 'none', 'As whom the relay signs in there; with passwordFile.'),
  passwordFile: optional(secretFile, 'none', "File with that user's password, mode 0600. A changed file takes effect at once."),
  from: optional(mailAddress, 'none', 'Whom mails are from; required with a host.'),
  to: option(list(mailAddress), [], 'Whom they go to; required with a host.'),
  trustFile: optional(path, "the system's", 'File with the authorities (PEM) that the server is verified by.'),
});

const mailWithUser = check(mailFields, {
  at: ['passwordFile'],
  isGood: ({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined),
  problem: ({ user }) => (user === undefined ? 'found a password without a user; give both or neither' : 'missing; user and passwordFile go together'),
});

const mail = check(mailWithUser, {
  at: ['host'],
  isGood: ({ host: server, from, to }) => server === undefined || (from !== undefined && to.length > 0 && to.length <= 50),
  problem: () => 'found a server without sender or receivers; from and to (1 to 50 addresses) go with it',
});

/** How incidents are told and kept; the relay's options under `incidents`, and the local workspace's settings. */
export const incidentsSettings: Schema<IncidentsSettings> = section<IncidentsSettings>({
  notifyFrom: option(
    oneOf<Severity>(SEVERITIES),
    'warn',
    'From which severity on people are told of an incident. error: somebody must act; warn: somebody should look; info: it is on record.',
  ),
  remindAfter: option(
    duration({ from: '10m', to: '7d' }),
    '4h',
    'People are told again of an incident that nobody has assessed, each time so long has passed.',
  ),
  keep: option(duration({ from: '1d', to: '3650d' }), '730d', 'How long closed incidents are kept. Those that are not closed stay.'),
  thresholds,
  webhook,
  mail,
});
