/** Exports over HTTP, for the control socket: what the command line asks (`export/requests.ts`). */
import type { ServerRoute } from '@hapi/hapi';
import type { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { messageOf, RelayError } from '../../errors.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Access } from '../access/access.ts';
import { CONTINUOUS } from '../export/continuous.ts';
import { type ExportProgress, exportRequestSchema, rangeJobName, restoreRequestSchema } from '../export/requests.ts';
import { restoreExport } from '../export/restore.ts';
import { createStageSink } from '../export/stage-sink.ts';
import { type HostedWorkspaces, hostedWorkspace } from '../hosted-workspace.ts';
import type { Outside } from './exporting.ts';

/** Of these as many are remembered as a person looks at. */
const REMEMBERED = 100;

export interface ExportRoutesParts {
  readonly workspaces: HostedWorkspaces;
  readonly outsides: ReadonlyMap<WorkspaceId, Outside>;
  readonly access: Pick<Access, 'audited' | 'operator'>;
  readonly clock: Clock;
}

/** POST /export, POST /export/restore, and GET /export?workspace=: how far each has come. What is asked for goes on when the asker has gone. */
export function exportRoutes({ workspaces, outsides, access, clock }: ExportRoutesParts): ServerRoute[] {
  const asked = new Map<WorkspaceId, ExportProgress[]>();

  const note = (id: WorkspaceId, progress: ExportProgress): void => {
    const others = (asked.get(id) ?? []).filter(({ job }) => job !== progress.job);
    asked.set(id, [...others, progress].slice(-REMEMBERED));
  };
  const begin = (id: WorkspaceId, job: string, work: () => Promise<Omit<ExportProgress, 'job' | 'state'>>): ExportProgress[] => {
    const nothing = { job, rows: 0, files: 0 };
    note(id, { ...nothing, state: 'running', detail: '' });
    void work().then(
      (done) => note(id, { ...done, job, state: 'done' }),
      (error: unknown) => note(id, { ...nothing, state: 'failed', detail: messageOf(error) }),
    );
    return progressOf(id);
  };
  const progressOf = (id: WorkspaceId): ExportProgress[] => {
    const state = outsides.get(id)?.continuous?.state();
    const mine = asked.get(id) ?? [];
    if (!state) return mine;
    const detail = state.failure ?? (state.until === undefined ? '' : `until ${new Date(state.until).toISOString()}`);
    return [{ job: CONTINUOUS, state: state.failure === undefined ? 'running' : 'failed', rows: state.rows, files: state.files, detail }, ...mine];
  };

  const exportRange = (payload: unknown): ExportProgress[] => {
    const { workspace, from, to, tables } = read(exportRequestSchema, payload);
    const id = hostedWorkspace(workspaces, parseWorkspaceId(workspace)).id;
    const { exporter } = outsides.get(id) ?? {};
    if (!exporter)
      throw new RelayError('relay.local-workspace.no-export', `Workspace ${id} has no folder to export to. Set export.target for it, and start again.`);
    const range = { from: Date.parse(from), to: Date.parse(to) };
    const job = rangeJobName(range.from, range.to);
    access.audited(access.operator, { action: 'export.create', workspaceId: id, what: job, detail: tables?.join(', ') });
    return begin(id, job, async () => {
      const { rows, files, until } = await exporter.run({ name: job, tables, ...range });
      return { rows, files, detail: `until ${new Date(until).toISOString()}` };
    });
  };

  const restore = (payload: unknown): ExportProgress[] => {
    const { workspace, folder, tables } = read(restoreRequestSchema, payload);
    const { id, stage, receipts } = hostedWorkspace(workspaces, parseWorkspaceId(workspace));
    if (!stage) throw new RelayError('relay.local-workspace.keeps-nothing', 'This workspace only counts what comes. Start it without --sink to keep data.');
    const job = `restore ${folder}`;
    access.audited(access.operator, { action: 'export.restore', workspaceId: id, what: folder });
    return begin(id, job, async () => {
      const sealer = outsides.get(id)?.sealer;
      const outcome = await restoreExport(folder, createStageSink(stage, receipts, clock.now), { tables, sealer });
      if (outcome.outcome !== 'refused') return { rows: outcome.rows, files: outcome.files, detail: outcome.outcome };
      throw new RelayError('relay.local-workspace.not-restored', `The export is not as it was written. See: relay local-workspace export verify ${folder}`);
    });
  };

  return [
    { method: 'POST', path: '/export', handler: ({ payload }) => exportRange(payload) },
    { method: 'POST', path: '/export/restore', handler: ({ payload }) => restore(payload) },
    {
      method: 'GET',
      path: '/export',
      handler: ({ query }) => progressOf(hostedWorkspace(workspaces, parseWorkspaceId(String((query as { workspace?: string }).workspace))).id),
    },
  ];
}

function read<Schema extends z.ZodType>(schema: Schema, payload: unknown): z.output<Schema> {
  const found = schema.safeParse(payload);
  if (found.success) return found.data;
  const issues = found.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  throw new RelayError('relay.local-workspace.bad-export', `The request cannot be read: ${issues}.`);
}
