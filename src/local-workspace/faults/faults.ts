import { z } from 'zod';
import { RelayError } from '../../errors.ts';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import { SERVICES, type Service } from '../service-path.ts';

/**
 * Seen before any request, so they hold for every workspace of the process.
 * down: the operating system refuses connections · refuse: accepted and closed at once · black-hole: accepted, and never a byte back, not even TLS.
 */
export interface ConnectionFault {
  readonly mode: 'down' | 'refuse' | 'black-hole';
}

/**
 * Seen by requests. slow: the answer comes `delayMs` later · hang: the request is read and never answered · reset: cut off half way through the
 * body · lost-answer: taken and kept, then cut off before the answer · too-many-requests: 429 with Retry-After in seconds · error: 500 ·
 * unauthorized: 401, with the challenge that tells a client to sign in anew · forbidden: 403 · status: any other answer · poison: 400 for every
 * body with `marker` in it, and for no other.
 */
export type RequestFault = FaultPlace &
  (
    | { readonly mode: 'hang' | 'reset' | 'lost-answer' | 'error' | 'unauthorized' | 'forbidden' }
    | { readonly mode: 'slow'; readonly delayMs: number }
    | { readonly mode: 'too-many-requests'; readonly retryAfterS: number }
    | { readonly mode: 'status'; readonly status: number }
    | { readonly mode: 'poison'; readonly marker: string }
  );

/** Which requests a fault is for, and how many of them; all when nothing is said. */
interface FaultPlace {
  readonly workspace?: WorkspaceId | undefined;
  readonly path?: Service | undefined;
  readonly times?: number | undefined;
}

/** How the local workspace is made to fail. A request fault with a workspace leaves the process's other workspaces alone. */
export type Fault = { readonly mode: 'none' } | ConnectionFault | RequestFault;

export const FAULT_MODES = [
  'none',
  'down',
  'refuse',
  'black-hole',
  'slow',
  'hang',
  'reset',
  'lost-answer',
  'too-many-requests',
  'error',
  'unauthorized',
  'forbidden',
  'status',
  'poison',
] as const;

const MAX_DELAY_MS = 600_000;
const MAX_RETRY_AFTER_S = 86_400;
const MAX_TIMES = 1_000_000;

const workspace = z
  .string()
  .transform((text, context) => {
    const id = readWorkspaceId(text);
    if (!id) context.addIssue({ code: 'custom', message: 'must be the GUID of a workspace' });
    return id ?? z.NEVER;
  })
  .optional();
const place = { workspace, path: z.enum(SERVICES).optional(), times: z.int().min(1).max(MAX_TIMES).optional() };

const schema: z.ZodType<Fault> = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.enum(['none', 'down', 'refuse', 'black-hole']) }),
  z.strictObject({ mode: z.enum(['hang', 'reset', 'lost-answer', 'error', 'unauthorized', 'forbidden']), ...place }),
  z.strictObject({ mode: z.literal('slow'), delayMs: z.int().min(0).max(MAX_DELAY_MS).default(5_000), ...place }),
  z.strictObject({ mode: z.literal('too-many-requests'), retryAfterS: z.int().min(0).max(MAX_RETRY_AFTER_S).default(60), ...place }),
  z.strictObject({ mode: z.literal('poison'), marker: z.string().min(1).max(256).default('POISON'), ...place }),
  z.strictObject({ mode: z.literal('status'), status: z.int().min(200).max(599).default(503), ...place }),
]);

/** Reads a fault from JSON and fills in its defaults. Throws `relay.local-workspace.bad-fault`, naming what does not fit. */
export function readFault(value: unknown): Fault {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const issues = read.error.issues.map((issue) => `${issue.path.join('.') || 'fault'}: ${issue.message}`).join('; ');
  throw new RelayError('relay.local-workspace.bad-fault', `This is no fault of the local workspace: ${issues}. Modes are ${FAULT_MODES.join(', ')}.`);
}

export function isConnectionFault(fault: Fault): fault is ConnectionFault {
  return fault.mode === 'down' || fault.mode === 'refuse' || fault.mode === 'black-hole';
}

/** The switch: one fault at a time. */
export interface Faults {
  current(): Fault;
  /** Lifts the fault in force and puts this one in its place; resolves when new requests see it. */
  set(fault: Fault): Promise<void>;
  /** The fault that a request meets which is for this service and workspace. */
  ofRequest(service: Service, workspaceId: WorkspaceId | undefined): RequestFault | undefined;
  /** One request has met the fault in force. After as many as its `times` says, no other does. */
  spend(): void;
  /** Calls `action` once, when the fault in force is lifted. The function returned calls it off. */
  whenLifted(action: () => void): () => void;
  /** How many wait for that now. */
  held(): number;
}

/** `apply` makes the listener fit the fault. */
export function createFaults(apply: (fault: Fault) => Promise<void>): Faults {
  let current: Fault = { mode: 'none' };
  let left = Number.POSITIVE_INFINITY;
  let settled: Promise<void> = Promise.resolve();
  const lifting = new Set<() => void>();

  const replace = async (fault: Fault): Promise<void> => {
    const released = [...lifting];
    lifting.clear();
    current = fault;
    left = ('times' in fault && fault.times) || Number.POSITIVE_INFINITY;
    for (const action of released) action();
    await apply(fault);
  };

  return {
    current: () => current,
    set(fault) {
      const next = settled.then(() => replace(fault));
      settled = next.catch(() => {});
      return next;
    },
    ofRequest(service, workspaceId) {
      if (current.mode === 'none' || isConnectionFault(current) || left === 0) return undefined;
      if (current.path !== undefined && current.path !== service) return undefined;
      return current.workspace === undefined || current.workspace === workspaceId ? current : undefined;
    },
    spend() {
      left -= 1;
    },
    whenLifted(action) {
      lifting.add(action);
      return () => lifting.delete(action);
    },
    held: () => lifting.size,
  };
}
