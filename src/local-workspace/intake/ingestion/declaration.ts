/** What a site has set up in its cloud: the identities that may sign in, and the data collection rules they may send to. Declared, as nothing here can be clicked. */
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { RelayError } from '../../../errors.ts';
import { readWorkspaceId, type WorkspaceId } from '../../../workspace/workspace-id.ts';
import { acceptsIngestion } from './tables.ts';

export type ColumnType = 'string' | 'int' | 'long' | 'real' | 'boolean' | 'dynamic' | 'datetime';

/** A stream of a rule: what its rows may hold, and the table they go to. */
export interface DeclaredStream {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly table: string;
  readonly plan: 'analytics' | 'auxiliary';
}

export interface DeclaredRule {
  /** `dcr-` and 32 hexadecimal digits. */
  readonly immutableId: string;
  /** Whose tables it fills; may be left out where there is one workspace. */
  readonly workspace?: WorkspaceId | undefined;
  readonly streams: Readonly<Record<string, DeclaredStream>>;
  /** Client ids of the apps that have the role to publish to it. */
  readonly allowedApps: readonly string[];
  readonly requestsPerMinute: number;
  /** Of bodies as they come over the wire. */
  readonly bytesPerMinute: number;
}

/** An identity that signs in with a secret or with a certificate. */
export interface DeclaredApp {
  readonly clientId: string;
  readonly secrets: readonly { readonly value: string; readonly notAfter?: string | undefined }[];
  /** PEM, without the key. */
  readonly certificates: readonly string[];
}

export interface Declaration {
  readonly tenantId: string;
  /** How long a token lasts, in seconds. */
  readonly tokenLifeS: number;
  /** What tokens must be made for. */
  readonly audience: string;
  readonly apps: readonly DeclaredApp[];
  readonly rules: readonly DeclaredRule[];
}

type WrittenStream = Omit<DeclaredStream, 'plan'> & Partial<Pick<DeclaredStream, 'plan'>>;

/** A rule as it is written down, with what has a default left out. */
export interface WrittenRule extends Partial<Omit<DeclaredRule, 'immutableId' | 'streams' | 'allowedApps' | 'workspace'>> {
  readonly immutableId: string;
  /** A GUID. */
  readonly workspace?: string | undefined;
  readonly streams: Readonly<Record<string, WrittenStream>>;
  readonly allowedApps: readonly string[];
}

/** An app as it is written down: a secret that does not end may be its text alone. */
export interface WrittenApp extends Partial<Pick<DeclaredApp, 'certificates'>> {
  readonly clientId: string;
  readonly secrets?: readonly (string | DeclaredApp['secrets'][number])[];
}

/** A declaration as it is written down, with what has a default left out. */
export interface WrittenDeclaration extends Partial<Pick<Declaration, 'tokenLifeS' | 'audience'>> {
  readonly tenantId: string;
  readonly apps?: readonly WrittenApp[];
  readonly rules?: readonly WrittenRule[];
}

const COLUMN_TYPES = ['string', 'int', 'long', 'real', 'boolean', 'dynamic', 'datetime'] as const;
const COLUMN_NAME = /^[A-Za-z][A-Za-z0-9_]{0,44}$/;
const RESERVED = new Set(['_resourceid', 'id', '_subscriptionid', 'tenantid', 'type', 'uniqueid', 'title']);
const MAX_COLUMNS = 500;
const AUDIENCES = ['https://monitor.azure.com', 'https://monitor.azure.us', 'https://monitor.azure.cn'] as const;
// Mean of the 60 to 90 minutes that the token service gives.
const TOKEN_LIFE_S = 4_500;

const guid = z.guid().transform((text) => text.toLowerCase());
const workspace = z.string().transform((text, context) => {
  const id = readWorkspaceId(text);
  if (!id) context.addIssue({ code: 'custom', message: 'must be the GUID of a workspace' });
  return id ?? z.NEVER;
});
const columnName = z
  .string()
  .regex(COLUMN_NAME, 'must be a letter, then at most 44 letters, digits and underscores')
  .refine((name) => !RESERVED.has(name.toLowerCase()), 'is a name that the service keeps for itself');
const table = z.string().refine(acceptsIngestion, 'is no table that Logs Ingestion fills; name one that ends in _CL');

const streamSchema = z.strictObject({
  columns: z
    .array(z.strictObject({ name: columnName, type: z.enum(COLUMN_TYPES) }))
    .min(1)
    .max(MAX_COLUMNS),
  table,
  plan: z.enum(['analytics', 'auxiliary']).default('analytics'),
});
const ruleSchema = z.strictObject({
  immutableId: z.string().regex(/^dcr-[0-9a-f]{32}$/, 'must be dcr- and 32 hexadecimal digits: the immutable id, not the name of the rule'),
  workspace: workspace.optional(),
  streams: z.record(z.string().regex(/^(?:Custom|Microsoft)-[\w-]{1,120}$/, 'must be a stream such as Custom-Syslog_CL'), streamSchema),
  allowedApps: z.array(guid),
  requestsPerMinute: z.int().min(1).default(12_000),
  bytesPerMinute: z.int().min(1).default(2_000_000_000),
});
const secret = z.union([
  z
    .string()
    .min(1)
    .transform((value) => ({ value })),
  z.strictObject({ value: z.string().min(1), notAfter: z.iso.datetime({ offset: true }).optional() }),
]);
const appSchema = z.strictObject({
  clientId: guid,
  secrets: z.array(secret).default([]),
  certificates: z.array(z.string().refine(isCertificate, 'must be a certificate in PEM')).default([]),
});
const schema: z.ZodType<Declaration> = z.strictObject({
  tenantId: guid,
  tokenLifeS: z.int().min(1).max(86_400).default(TOKEN_LIFE_S),
  audience: z.enum(AUDIENCES).default(AUDIENCES[0]),
  apps: z.array(appSchema).default([]),
  rules: z.array(ruleSchema).default([]),
});

/** Reads a declaration and fills in its defaults. Throws `relay.local-workspace.bad-rules`, naming what does not fit and never a secret. */
export function readDeclaration(value: unknown): Declaration {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const issues = read.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; ');
  throw new RelayError('relay.local-workspace.bad-rules', `The data collection rules cannot be used: ${issues}. Correct the file, and give it again.`);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== '';
  } catch {
    return false;
  }
}
