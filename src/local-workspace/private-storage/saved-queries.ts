/** Saved queries in the private storage, one object each. An object's name is a hash: what a query is called is sealed with it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';
import type { PrivateStorage } from './private-storage.ts';

const FOLDER = 'queries/';

/** How many queries a workspace may keep. */
export const MAX_SAVED_QUERIES = 10_000;

/** What somebody gives to be kept: name 1 to 128 characters, text up to 100,000, description up to 2,000. */
export const savedQuerySchema: z.ZodType<QueryToSave> = z.strictObject({
  name: z.string().trim().min(1).max(128),
  query: z.string().min(1).max(100_000),
  description: z.string().max(2_000).default(''),
});

export interface QueryToSave {
  /** Unlike any other's; upper and lower case differ. */
  readonly name: string;
  /** KQL. */
  readonly query: string;
  readonly description: string;
}

export interface SavedQuery extends QueryToSave {
  /** ISO 8601, UTC; a change of the text leaves it. */
  readonly createdAt: string;
}

/** Fails as the private storage does. */
export interface SavedQueries {
  /** Keeps a query, or puts it in the place of the one of its name. Throws `relay.local-workspace.bad-saved-query`, `…too-many-queries`. */
  put(query: unknown): Promise<SavedQuery>;
  get(name: string): Promise<SavedQuery | undefined>;
  /** All, in the order of their names. */
  list(): Promise<SavedQuery[]>;
  /** Whether there was one. */
  delete(name: string): Promise<boolean>;
}

export function createSavedQueries(storage: PrivateStorage, clock: Pick<Clock, 'now'>): SavedQueries {
  const read = async (object: string): Promise<SavedQuery | undefined> => {
    const bytes = await storage.get(object);
    return bytes && (JSON.parse(bytes.toString('utf8')) as SavedQuery);
  };
  return {
    async put(given) {
      const query = check(given);
      const object = objectOf(query.name);
      const before = await read(object);
      if (!before && (await storage.list(FOLDER)).length >= MAX_SAVED_QUERIES) throw tooMany();
      const saved = { ...query, createdAt: before?.createdAt ?? new Date(clock.now()).toISOString() };
      await storage.put(object, Buffer.from(JSON.stringify(saved)));
      return saved;
    },
    get: (name) => read(objectOf(name)),
    async list() {
      const queries: SavedQuery[] = [];
      for (const object of await storage.list(FOLDER)) {
        const query = await read(object);
        if (query) queries.push(query);
      }
      return queries.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    delete: (name) => storage.delete(objectOf(name)),
  };
}

function check(given: unknown): QueryToSave {
  const read = savedQuerySchema.safeParse(given);
  if (read.success) return read.data;
  throw new RelayError(
    'relay.local-workspace.bad-saved-query',
    `The query was not saved: ${z.prettifyError(read.error).replaceAll('\n', ' ')}. Give a name and a query.`,
  );
}

function objectOf(name: string): string {
  return `${FOLDER}${createHash('sha256').update(name.trim()).digest('hex').slice(0, 32)}`;
}

function tooMany(): RelayError {
  return new RelayError('relay.local-workspace.too-many-queries', `There are ${MAX_SAVED_QUERIES} saved queries already. Delete some that nobody uses.`);
}
