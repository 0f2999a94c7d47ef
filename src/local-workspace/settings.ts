/** What a site sets for its local workspace, in a file: by workspace how its data is kept, and whom incidents are told to. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { type IncidentsSettings, incidentsSettings } from '../incidents/settings.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import { type ExportSettings, exportSettingsSchema } from './export/settings.ts';
import { type KeysSettings, keysSettings } from './keys/keys-settings.ts';
import { type ReplicaSettings, replicaSettingsSchema } from './replica/settings.ts';
import { type RetentionSettings, retentionSettings } from './retention/retention-settings.ts';

/** How one workspace's data is kept. */
export interface WorkspaceSettings {
  /** By which key it is sealed. */
  readonly encryption: KeysSettings;
  readonly retention: RetentionSettings;
  /** A folder on a faster disk for what is new; none unless given. */
  readonly hotFolder?: string | undefined;
  /** A second copy on another disk; none unless given. */
  readonly replica?: ReplicaSettings | undefined;
  /** Where rows are exported to; nowhere unless given. */
  readonly export?: ExportSettings | undefined;
  /** A folder that the customer owns, for saved queries; none unless given. */
  readonly privateStorage?: { readonly folder: string; readonly key: KeysSettings['key'] } | undefined;
}

export interface LocalWorkspaceSettings {
  readonly workspaces: Readonly<Record<WorkspaceId, WorkspaceSettings>>;
  readonly incidents: IncidentsSettings;
}

const folder = z.string().min(1).max(4_000).refine(isAbsolute, 'must be an absolute path');
const keyOnly = keysSettings.transform(({ key }) => key);

const workspaceSchema: z.ZodType<WorkspaceSettings> = z
  .strictObject({
    encryption: keysSettings.prefault({} as KeysSettings),
    retention: retentionSettings.prefault({} as RetentionSettings),
    hotFolder: folder.optional(),
    replica: replicaSettingsSchema.optional(),
    export: exportSettingsSchema.optional(),
    privateStorage: z.strictObject({ folder, key: z.preprocess((key) => ({ key }), keyOnly) }).optional(),
  })
  .refine(({ export: exported, privateStorage }) => exported?.seal !== 'customer-key' || privateStorage !== undefined, {
    path: ['export', 'seal'],
    message: 'needs privateStorage, whose key seals the files; without one they would be written in the clear',
  });

const id = z.string().transform((text, context) => {
  const read = readWorkspaceId(text);
  if (!read) context.addIssue({ code: 'custom', message: 'must be the GUID of a workspace' });
  return read ?? z.NEVER;
});

const schema: z.ZodType<LocalWorkspaceSettings> = z.strictObject({
  workspaces: z.record(id, workspaceSchema).default({}),
  incidents: incidentsSettings,
});

/** Reads settings and fills in the defaults. Throws `relay.local-workspace.bad-settings`, naming what does not fit. */
export function readSettings(value: unknown): LocalWorkspaceSettings {
  const read = schema.safeParse(value ?? {});
  if (read.success) return read.data;
  const issues = read.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${wordsOf(issue)}`).join('; ');
  throw new RelayError(
    'relay.local-workspace.bad-settings',
    `The settings of the local workspace cannot be used: ${issues}. Correct the file, and start again.`,
  );
}

// Of a wrong name in a record zod says no more than that it is one; why is within.
function wordsOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join('; ') : issue.message;
}

/** The settings of one workspace; the defaults where nothing is said of it. */
export function settingsOf({ workspaces }: LocalWorkspaceSettings, workspaceId: WorkspaceId): WorkspaceSettings {
  return workspaces[workspaceId] ?? workspaceSchema.parse({});
}
