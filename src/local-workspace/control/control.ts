import { chmod, rm } from 'node:fs/promises';
import { server as createServer, type Lifecycle, type Plugin, type Server } from '@hapi/hapi';
import { z } from 'zod';
import { messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { parseWorkspaceId } from '../../workspace/workspace-id.ts';
import { readFault } from '../faults/faults.ts';
import { ingestionRoutes } from '../intake/ingestion/control-routes.ts';
import { MAX_QUERY_RECORDS } from '../intake/stored-records.ts';
import { askControl, controlPath } from './control-client.ts';
import type { Inspection } from './inspection.ts';

const MAX_BODY_BYTES = 4096;

/** What the control socket may see and do. */
export type Controlled = Omit<Inspection, 'held'>;

export interface Control {
  /** Adds what is there only once the process has begun. */
  add(plugins: readonly Plugin<void>[]): Promise<void>;
  close(): Promise<void>;
}

const querySchema = z.strictObject({
  workspace: z.string(),
  dataType: z.string().max(128).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  where: z.string().max(1024).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_QUERY_RECORDS).default(100),
});

const followingSchema = querySchema.extend({ seq: z.coerce.number().int().min(0), row: z.coerce.number().int().min(0) });

/**
 * Opens the control socket, `control.sock` in the data folder (mode 0600): HTTP with GET and POST /fault and /rules, GET /count, /batch-ids,
 * /query, /following, /rows and /tables.
 * Throws `relay.local-workspace.already-running` when another process answers there.
 */
export async function openControl(dataFolder: string, controlled: Controlled, log: Logger): Promise<Control> {
  const path = controlPath(dataFolder);
  await refuseSecond(dataFolder);
  await rm(path, { force: true });
  const control = createServer({ port: path, debug: false, compression: false, routes: { payload: { maxBytes: MAX_BODY_BYTES } } });
  control.events.on({ name: 'request', channels: 'error' }, (_request, event) => log.warn({ reason: messageOf(event.error) }, 'a control request failed'));
  control.ext('onPreResponse', shapeError);
  addRoutes(control, controlled);
  await control.start();
  await chmod(path, 0o600);
  return {
    async add(plugins) {
      await control.register([...plugins]);
    },
    close: () => control.stop({ timeout: 1_000 }),
  };
}

function addRoutes(control: Server, controlled: Controlled): void {
  control.route(ingestionRoutes(controlled));
  control.route([
    { method: 'GET', path: '/fault', handler: () => controlled.fault() },
    {
      method: 'POST',
      path: '/fault',
      handler: async (request) => {
        await controlled.setFault(readFault(request.payload));
        return controlled.fault();
      },
    },
    {
      method: 'GET',
      path: '/count',
      handler: (request) => {
        const { workspace } = request.query as { workspace?: string };
        return [...controlled.count(workspace === undefined ? undefined : parseWorkspaceId(workspace))];
      },
    },
    {
      method: 'GET',
      path: '/batch-ids',
      handler: (request) => [...controlled.batchIds(parseWorkspaceId(String((request.query as { workspace?: string }).workspace)))],
    },
    {
      method: 'GET',
      path: '/query',
      handler: async (request) => {
        const { workspace, since, ...filter } = readQuery(querySchema, request.query);
        return [...(await controlled.query(parseWorkspaceId(workspace), { ...filter, since: since && new Date(since).toISOString() }))];
      },
    },
    {
      method: 'GET',
      path: '/following',
      handler: async (request) => {
        const { workspace, since, seq, row, ...filter } = readQuery(followingSchema, request.query);
        return [...(await controlled.following(parseWorkspaceId(workspace), { seq, row }, { ...filter, since: since && new Date(since).toISOString() }))];
      },
    },
    {
      method: 'GET',
      path: '/rows',
      handler: async (request) => {
        const { workspace, since, table, ...filter } = readQuery(rowsSchema, request.query);
        return [...(await controlled.rows(parseWorkspaceId(workspace), table, { ...filter, since: since && new Date(since).toISOString() }))];
      },
    },
  ]);
}

const rowsSchema = querySchema.omit({ dataType: true }).extend({ table: z.string().max(128) });

function readQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const read = schema.safeParse(query);
  if (read.success) return read.data;
  throw new RelayError('relay.local-workspace.bad-query', `The query cannot be read: ${z.prettifyError(read.error).replaceAll('\n', ' ')}.`);
}

const shapeError: Lifecycle.Method = (request, h) => {
  const { response } = request;
  if (!(response instanceof RelayError)) return h.continue;
  return h.response({ error: { code: response.code, message: messageOf(response) } }).code(400);
};

async function refuseSecond(dataFolder: string): Promise<void> {
  try {
    await askControl(dataFolder, { method: 'GET', path: '/fault' });
  } catch (error) {
    // Nobody answers: what is left of the socket belongs to a process that is gone.
    if (error instanceof RelayError && error.code === 'relay.control.not-running') return;
  }
  throw new RelayError('relay.local-workspace.already-running', `Another local workspace runs on ${dataFolder}. Stop it, or choose another --data folder.`);
}
