/**
 * Notices as POST requests. By node:https and a connection for each: there are a few a day, and a pool would only keep connections that nobody
 * uses. The address may hold a token in its path, so no more of it is ever named than the host.
 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import type { Clock } from '../clock.ts';
import { createSecretFile } from '../secret-file.ts';
import type { Channel, SendOutcome } from './channel.ts';
import { connectionFailure } from './connection-failure.ts';
import { DELIVERY_HEADER, SIGNATURE_HEADER, signatureOf, TIMESTAMP_HEADER } from './webhook-signature.ts';

/** From the beginning until the answer, in milliseconds. */
const TIMEOUT_MS = 10_000;
/** An answer is read up to here and thrown away. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Answers that tell of the receiver, not of the notice. */
const OF_RECEIVER = new Set([401, 403, 404, 405, 407, 408, 410, 429]);

export interface WebhookParts {
  readonly url: string;
  readonly secretFile: string;
  readonly trustFile?: string | undefined;
  readonly clock: Clock;
  /** Told when others may read the secret's file. */
  readonly warn: (message: string) => void;
}

/** A receiver of signed JSON over HTTPS (`notice.ts` has the body, `webhook-signature.ts` the headers). */
export function createWebhook({ url, secretFile, trustFile, clock, warn }: WebhookParts): Channel {
  const { host } = new URL(url);
  const secret = createSecretFile(secretFile, warn);
  const failed = (reason: string, concerns: 'channel' | 'notice' = 'channel'): SendOutcome => ({ outcome: 'failed', reason: `${host}: ${reason}`, concerns });

  return {
    name: 'webhook',
    async send(notice, signal) {
      const body = JSON.stringify(notice);
      try {
        const timestamp = String(Math.floor(clock.now() / 1_000));
        const headers = {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'ops-relay',
          [DELIVERY_HEADER]: notice.delivery,
          [TIMESTAMP_HEADER]: timestamp,
          [SIGNATURE_HEADER]: signatureOf(await secret.read(), timestamp, body),
        };
        const ca = trustFile === undefined ? {} : { ca: await readFile(trustFile) };
        const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
        const status = await post(url, { method: 'POST', headers, agent, minVersion: 'TLSv1.2', signal, ...ca }, { body, clock });
        if (status >= 200 && status < 300) return { outcome: 'sent' };
        return failed(meaningOf(status), status < 400 || status >= 500 || OF_RECEIVER.has(status) ? 'channel' : 'notice');
      } catch (error) {
        return failed(connectionFailure(error, 'incidents.webhook.trustFile'));
      }
    },
  };
}

function meaningOf(status: number): string {
  if (status >= 300 && status < 400) return `it answered ${status}, a redirect, which is not followed; give the last address itself`;
  return `it answered ${status}${status === 401 || status === 403 ? '; check that it knows the secret' : ''}`;
}

function post(url: string, options: RequestOptions, { body, clock }: { readonly body: string; readonly clock: Clock }): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      readAway(response, sent.destroy.bind(sent));
      response.once('close', () => resolve(response.statusCode ?? 0));
    });
    const cancel = clock.after(TIMEOUT_MS, () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} seconds`)));
    sent.once('error', reject);
    sent.once('close', cancel);
    sent.end(body);
  });
}

// The status is all that counts: an answer that is long, or is cut off, is no failure.
function readAway(response: IncomingMessage, end: () => void): void {
  let bytes = 0;
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) end();
  });
}
