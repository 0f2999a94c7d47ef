/** What the command line asks a running local workspace, as JSON over its control socket, and what it answers. */
import { z } from 'zod';
import { isTableName } from './layout.ts';

const workspace = z.guid();
const tables = z.array(z.string().refine(isTableName, 'is no name of a table')).min(1).max(500).optional();

/** `POST /export`: export what was received in a range. */
export interface ExportRequest {
  readonly workspace: string;
  /** ISO 8601, of `_TimeReceived`: from included, to not. */
  readonly from: string;
  readonly to: string;
  readonly tables?: readonly string[] | undefined;
}

export const exportRequestSchema: z.ZodType<ExportRequest> = z.strictObject({ workspace, from: z.iso.datetime(), to: z.iso.datetime(), tables });

/** `POST /export/restore`: take back what a folder holds. The folder is one that the local workspace can read. */
export interface RestoreRequest {
  readonly workspace: string;
  readonly folder: string;
  readonly tables?: readonly string[] | undefined;
}

export const restoreRequestSchema: z.ZodType<RestoreRequest> = z.strictObject({ workspace, folder: z.string().min(1).max(4_000), tables });

/** How far something that was asked for has come: the answer to both, and of `GET /export?workspace=…`, a row for each. */
export interface ExportProgress {
  readonly job: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly rows: number;
  readonly files: number;
  /** Why it failed, or until when (ISO 8601) a range is exported. */
  readonly detail: string;
}

/** The job of a range: the same range asked for again goes on with it. */
export function rangeJobName(from: number, to: number): string {
  return `range-${compact(from)}-${compact(to)}`;
}

function compact(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:.]/g, '').toLowerCase();
}
