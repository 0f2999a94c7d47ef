import type { Clock } from '../clock.ts';
import type { Channel } from './channel.ts';
import { createMail } from './mail.ts';
import type { IncidentsSettings } from './settings.ts';
import { createWebhook } from './webhook.ts';

const SUBMISSION_PORT = 587;
const IMPLICIT_TLS_PORT = 465;

export interface ChannelParts {
  readonly clock: Clock;
  /** What `relay incidents show` needs to find these incidents; empty for the relay's own. */
  readonly flags: string;
  /** Told when others may read a secret's file. */
  readonly warn: (message: string) => void;
}

/** The channels that the settings name. */
export function channelsOf({ webhook, mail }: Pick<IncidentsSettings, 'webhook' | 'mail'>, parts: ChannelParts): readonly Channel[] {
  return [...webhookOf(webhook, parts), ...mailOf(mail, parts)];
}

function webhookOf({ url, secretFile, trustFile }: IncidentsSettings['webhook'], { clock, warn }: ChannelParts): Channel[] {
  return url === undefined || secretFile === undefined ? [] : [createWebhook({ url, secretFile, trustFile, clock, warn })];
}

function mailOf({ tls, host, port, from, to, ...rest }: IncidentsSettings['mail'], parts: ChannelParts): Channel[] {
  if (host === undefined || from === undefined || to.length === 0) return [];
  const isImplicitTls = tls === 'implicit';
  const byDefault = isImplicitTls ? IMPLICIT_TLS_PORT : SUBMISSION_PORT;
  return [createMail({ ...rest, ...parts, host, port: port ?? byDefault, isImplicitTls, from, to })];
}
