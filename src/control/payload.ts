import type { Request } from '@hapi/hapi';
import type { z } from 'zod';
import { RelayError } from '../errors.ts';

/** Reads what came with a command. Throws `relay.control.bad-request`, naming what is wrong. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RelayError('relay.control.bad-request', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

/** The name in a command's path. */
export function nameIn(request: Request): string {
  return String((request.params as { name?: unknown }).name ?? '');
}
