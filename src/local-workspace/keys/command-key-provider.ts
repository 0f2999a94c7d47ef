/** Wraps by a program of the customer's: one JSON object to its standard input, one from its standard output. README.md has the protocol. */
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { unwrapEnvelope, wrapInEnvelope } from './key-envelope.ts';
import { runKeyProgram } from './key-program.ts';
import { KEY_ID, type KeyProvider, type KeyUnavailable, unavailable, unavailableForNow, type WrapContext } from './key-provider.ts';

/** EX_TEMPFAIL of sysexits.h: the program asks to be called again. */
const TRY_AGAIN = 75;
const MOST_DATA_CHARS = 12 * 1024;

const keyId = z.string().regex(KEY_ID);
const data = z.base64().min(1).max(MOST_DATA_CHARS);
const wrapReply = z.object({ keyId, data });
const unwrapReply = z.object({ data });
const keyIdReply = z.object({ keyId });

type Request =
  | { readonly operation: 'wrap'; readonly data: string }
  | { readonly operation: 'unwrap'; readonly keyId: string; readonly data: string }
  | { readonly operation: 'key-id' };

/** `command` is the program's path and its arguments. Each call is a run of its own, of at most ten seconds. */
export function createCommandKeyProvider(command: readonly string[], clock: Clock): KeyProvider {
  const name = `the program ${command[0] ?? ''}`;

  const ask = async <T>(request: Request, { workspaceId }: WrapContext, reply: z.ZodType<T>): Promise<{ outcome: 'replied'; reply: T } | KeyUnavailable> => {
    const secrets = 'data' in request ? [request.data] : [];
    const input = `${JSON.stringify({ ...request, workspace: workspaceId })}\n`;
    const end = await runKeyProgram({ command, input, secrets }, clock);
    if (end.how === 'too-slow') return unavailableForNow(`${name} did not end within 10 s (${request.operation})`);
    if (end.how === 'failed') return unavailable(`${name}: ${end.reason} (${request.operation})`);
    if (end.code !== 0) {
      const reason = `${name} ended with ${end.code} (${request.operation}): ${end.said.at(-1) ?? 'it did not say why'}`;
      return end.code === TRY_AGAIN ? unavailableForNow(reason) : unavailable(reason);
    }
    const read = reply.safeParse(jsonOf(end.out));
    // What it wrote may be a key, so it is not shown.
    return read.success ? { outcome: 'replied', reply: read.data } : unavailable(`${name} wrote no reply to ${request.operation} as keys/README.md has it`);
  };

  return {
    kind: 'command',
    name,
    wrap: (plain, context) =>
      wrapInEnvelope(plain, context, async (key) => {
        const asked = await ask({ operation: 'wrap', data: key.toString('base64') }, context, wrapReply);
        return asked.outcome === 'replied' ? { outcome: 'wrapped', keyId: asked.reply.keyId, wrapped: Buffer.from(asked.reply.data, 'base64') } : asked;
      }),
    unwrap: (wrapped, context) =>
      unwrapEnvelope(wrapped, context, async (key) => {
        const asked = await ask({ operation: 'unwrap', keyId: wrapped.keyId, data: key.toString('base64') }, context, unwrapReply);
        return asked.outcome === 'replied' ? { outcome: 'unwrapped', plain: Buffer.from(asked.reply.data, 'base64') } : asked;
      }),
    async currentKeyId(context) {
      const asked = await ask({ operation: 'key-id' }, context, keyIdReply);
      return asked.outcome === 'replied' ? { outcome: 'known', keyId: asked.reply.keyId } : asked;
    },
  };
}

function jsonOf(out: Buffer): unknown {
  try {
    return JSON.parse(out.toString());
  } catch {
    return undefined;
  }
}
