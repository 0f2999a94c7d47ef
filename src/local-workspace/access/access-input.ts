/** What comes as JSON in orders about access: every size is bounded, and a token pasted into a text is refused before it is kept. */
import { z } from 'zod';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import { ROLES, type Role, type Standing } from './rights.ts';
import { holdsToken } from './token-text.ts';

interface Bounds {
  readonly most: number;
  readonly usual: number;
}

/** Days a token may live, and lives when nothing is said. */
export const TOKEN_DAYS: Bounds = { most: 365, usual: 90 };
/** Minutes a support person's access may last, and lasts when nothing is said. */
export const ACCESS_MINUTES: Bounds = { most: 24 * 60, usual: 4 * 60 };

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u;
const MAX_TEXT_CHARS = 500;
const MAX_WORKSPACES = 100;

const noToken = (text: string): boolean => !holdsToken(text);
const NO_TOKEN = 'must not hold an access token';
const name = z.string().regex(NAME, 'must be 1 to 64 letters, digits, spaces and . _ @ - and begin with a letter or digit').refine(noToken, NO_TOKEN);
const words = z
  .string()
  .trim()
  .min(1, 'must say something')
  .max(MAX_TEXT_CHARS)
  .refine((text) => !/\p{Cc}/u.test(text), 'must be one line without control characters')
  .refine(noToken, NO_TOKEN);
const workspace = z.string().transform((text, context) => {
  const id = readWorkspaceId(text);
  if (!id) context.addIssue({ code: 'custom', message: 'must be the GUID of a workspace' });
  return id ?? z.NEVER;
});

/** A token that is wanted. */
export interface NewToken {
  readonly name: string;
  /** `support`: the token of a support person, who may only ask for a role. */
  readonly role: Standing;
  /** How long it is good, 1 to 365. */
  readonly days: number;
  /** Further workspaces; whoever asks must be able to grant in each. */
  readonly workspaces: readonly WorkspaceId[];
}

export const newTokenSchema: z.ZodType<NewToken> = z.strictObject({
  name,
  role: z.enum([...ROLES, 'support']),
  days: z.int().min(1).max(TOKEN_DAYS.most).default(TOKEN_DAYS.usual),
  workspaces: z.array(workspace).max(MAX_WORKSPACES).default([]),
});

/** A request for a role that is wanted. */
export interface NewRequest {
  readonly role: Role;
  readonly reason: string;
  /** How long the role is needed, 1 to 1440. */
  readonly minutes: number;
  /** The id of the support person's token; needed when somebody else enters the request. */
  readonly support?: string | undefined;
}

export const newRequestSchema: z.ZodType<NewRequest> = z.strictObject({
  role: z.enum(ROLES),
  reason: words,
  minutes: z.int().min(1).max(ACCESS_MINUTES.most).default(ACCESS_MINUTES.usual),
  support: z.string().max(40).optional(),
});

export const decisionSchema: z.ZodType<{ readonly comment: string }> = z.strictObject({ comment: words });
