/** Notices as plain-text mails over SMTP, never without TLS. */
import { readFile } from 'node:fs/promises';
import type { SentMessageInfo, Transporter } from 'nodemailer';
import type { Clock } from '../clock.ts';
import { createSecretFile } from '../secret-file.ts';
import type { Channel, SendOutcome } from './channel.ts';
import { connectionFailure } from './connection-failure.ts';
import { mailTextOf } from './mail-text.ts';

/** All of one mail, in milliseconds; and each of its waits. */
const TIMEOUT_MS = 60_000;
const STEP_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;

export interface MailParts {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else STARTTLS, which must succeed (RFC 3207). */
  readonly isImplicitTls: boolean;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
  readonly trustFile?: string | undefined;
  /** What `relay incidents show` needs to find these incidents; empty for the relay's own. */
  readonly flags: string;
  readonly clock: Clock;
  /** Told when others may read the password's file. */
  readonly warn: (message: string) => void;
}

/** A mail server. What it says is never repeated but for its code: some servers quote what was sent to them. */
export function createMail(parts: MailParts): Channel {
  const { from, to, flags, clock, host } = parts;
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const openTransport = transportOf(parts);

  return {
    name: 'mail',
    async send(notice, signal) {
      const timeout = new AbortController();
      const cancel = clock.after(TIMEOUT_MS, () => timeout.abort());
      try {
        const { inReplyTo, ...mail } = mailTextOf(notice, { domain, flags });
        const thread = inReplyTo === undefined ? {} : { inReplyTo, references: inReplyTo };
        using transport = await openTransport();
        const sent = await transport.sendMail({
          ...mail,
          ...thread,
          from,
          to: [...to],
          date: new Date(notice.at),
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Relay-Incident': notice.incident.id },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: AbortSignal.any([signal, timeout.signal]),
        });
        const rejected = (sent as { rejected?: readonly unknown[] }).rejected ?? [];
        return { outcome: 'sent', ...(rejected.length === 0 ? {} : { remark: `the server did not take it for ${rejected.map(String).join(', ')}` }) };
      } catch (error) {
        return failureOf(error, host);
      } finally {
        cancel();
      }
    },
  };
}

type Transport = Pick<Transporter<SentMessageInfo>, 'sendMail'> & Disposable;

// Made for each mail: a changed password or trust file takes effect at once, and no connection is kept.
function transportOf({ host, port, isImplicitTls, user, passwordFile, trustFile, warn }: MailParts): () => Promise<Transport> {
  const password = passwordFile === undefined ? undefined : createSecretFile(passwordFile, warn);
  return async () => {
    const auth = user === undefined || password === undefined ? {} : { auth: { user, pass: await password.read() }, forceAuth: true };
    const ca = trustFile === undefined ? {} : { ca: await readFile(trustFile) };
    // Loaded for the first mail: it takes 80 ms and 20 MB, and most programs that could send one never do.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host,
      port,
      secure: isImplicitTls,
      requireTLS: !isImplicitTls,
      tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...ca },
      connectionTimeout: STEP_MS,
      greetingTimeout: STEP_MS,
      socketTimeout: STEP_MS,
      dnsTimeout: STEP_MS,
      maxResponseSize: MAX_ANSWER_BYTES,
      logger: false,
      ...auth,
    });
    return { sendMail: (mail) => transport.sendMail(mail), [Symbol.dispose]: () => transport.close() };
  };
}

interface MailError {
  readonly code?: string;
  readonly responseCode?: number;
}

/** What an error of the library means, and whether other mails would meet it, too. */
export function failureOf(error: unknown, host: string): SendOutcome {
  const { code, responseCode } = (error ?? {}) as MailError;
  const answered = responseCode === undefined ? '' : ` (${responseCode})`;
  const failed = (reason: string, concerns: 'channel' | 'notice' = 'channel'): SendOutcome => ({ outcome: 'failed', reason: `${host}: ${reason}`, concerns });
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return failed(`it refused user and password${answered}; check incidents.mail.user and the file of incidents.mail.passwordFile`);
    case 'ETLS':
      return failed(`TLS failed${answered}; it must offer STARTTLS with a certificate for this name that incidents.mail.trustFile or the system trusts`);
    case 'EENVELOPE':
      return failed(`it did not take sender or receivers${answered}; check incidents.mail.from and incidents.mail.to`, 'notice');
    case 'EMESSAGE':
      return failed(`it did not take the mail${answered}`, 'notice');
    case 'EABORT':
      return failed(`the mail was not taken within ${TIMEOUT_MS / 1_000} seconds`);
    default:
      if (responseCode !== undefined) return failed(`it answered ${responseCode}`);
      return failed(connectionFailure(error, 'incidents.mail.trustFile').replace(/ ?response=.*/s, ''));
  }
}
