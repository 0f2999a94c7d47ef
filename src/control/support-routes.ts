import type { ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import type { SupportText } from './api.ts';
import { audited } from './operator.ts';
import { parse } from './payload.ts';

/** What a support bundle asks of a running relay. */
export interface SupportControl {
  /** The last lines of the log, each with its line feed, without secrets. */
  recentLines(): readonly string[];
  /** The metrics in Prometheus's text format. */
  metrics(): Promise<string>;
  /** What Redis tells of itself, over the relay's own connection. */
  redisInfo(): Promise<string>;
}

const made = z.strictObject({ name: z.string().min(1).max(200), files: z.number().int().min(0), bytes: z.number().int().min(0) });

/** What goes into a support bundle, and the entry that one was made. */
export function supportRoutes({ recentLines, metrics, redisInfo }: SupportControl, audit: EnterAudit): ServerRoute[] {
  const textOf = (read: () => string | Promise<string>) => async (): Promise<SupportText> => ({ text: await read() });
  const enter = audited((request) => parse(made, request.payload), {
    audit,
    action: 'support-bundle.create',
    on: (_request, answer) => (answer as z.infer<typeof made> | undefined)?.name ?? 'support bundle',
    detail: (_request, answer) => {
      const { files, bytes } = answer as z.infer<typeof made>;
      return `${files} files, ${bytes} bytes`;
    },
  });
  return [
    { method: 'GET', path: '/support/log', handler: textOf(() => recentLines().join('')) },
    { method: 'GET', path: '/support/metrics', handler: textOf(metrics) },
    { method: 'GET', path: '/support/redis', handler: textOf(redisInfo) },
    { method: 'POST', path: '/support/bundles', handler: enter },
  ];
}
