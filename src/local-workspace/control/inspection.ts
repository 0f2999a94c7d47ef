import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Fault, Faults } from '../faults/faults.ts';
import { type HostedWorkspace, type HostedWorkspaces, hostedWorkspace } from '../hosted-workspace.ts';
import type { StoredCall, TableCount, TableRow } from '../intake/ingestion/call.ts';
import type { WrittenDeclaration } from '../intake/ingestion/declaration.ts';
import type { Directory, Rule } from '../intake/ingestion/directory.ts';
import type { RowFilter } from '../intake/ingestion/table-rows.ts';
import type { RecordFilter, StoredRecord } from '../intake/stored-records.ts';
import type { DataCount } from '../intake/upload.ts';

/** A look into a local workspace that runs, and the ways to steer it. What names a workspace throws `relay.local-workspace.unknown-workspace`. */
export interface Inspection {
  fault(): Fault;
  /** Resolves when new connections and requests meet the fault; `{ mode: 'none' }` ends it. */
  setFault(fault: Fault): Promise<void>;
  /** Requests that the fault in force holds up now: those that hang, and those whose answer is slow. */
  held(): number;
  /** Of one workspace, or of all. */
  count(workspaceId?: WorkspaceId | undefined): readonly DataCount[];
  /** The distinct batch ids a workspace has, in the order in which each came first. */
  batchIds(workspaceId: WorkspaceId): readonly string[];
  /** The newest records that match, the oldest of them first. */
  query(workspaceId: WorkspaceId, filter: RecordFilter): Promise<readonly StoredRecord[]>;
  /** The records that match and came behind this one, the oldest first. */
  following(workspaceId: WorkspaceId, after: Pick<StoredRecord, 'seq' | 'row'>, filter: RecordFilter): Promise<readonly StoredRecord[]>;
  /** Takes the place of the identities and rules declared before: from now on these hold. Throws `relay.local-workspace.bad-rules`. */
  declare(ingestion: WrittenDeclaration): void;
  /** The data collection rules in force. */
  rules(): readonly Rule[];
  /** What Logs Ingestion brought, by table: of one workspace, or of all. */
  tables(workspaceId?: WorkspaceId | undefined): readonly TableCount[];
  /** All rows of a table, in the order in which they came, or those that match. */
  rows(workspaceId: WorkspaceId, table: string, filter?: Omit<RowFilter, 'table'>): Promise<readonly TableRow[]>;
  /** The calls of Logs Ingestion that were answered with 204, in the order in which they came. */
  calls(workspaceId: WorkspaceId): readonly StoredCall[];
}

/** What an inspection looks at. */
export interface Inspected {
  readonly workspaces: HostedWorkspaces;
  readonly faults: Faults;
  readonly directory: Directory;
}

/** `parts` gives what runs now, or throws. */
export function createInspection(parts: () => Inspected): Inspection {
  const one = (id: WorkspaceId): HostedWorkspace => hostedWorkspace(parts().workspaces, id);
  const each = (id: WorkspaceId | undefined): readonly HostedWorkspace[] => (id ? [one(id)] : [...parts().workspaces.values()]);
  return {
    fault: () => parts().faults.current(),
    setFault: (fault) => parts().faults.set(fault),
    held: () => parts().faults.held(),
    count: (id) => each(id).flatMap(({ intake }) => intake.count()),
    batchIds: (id) => one(id).intake.batchIds(),
    query: async (id, filter) => await one(id).records.newest(filter),
    following: async (id, after, filter) => await one(id).records.following(after, filter),
    declare: (ingestion) => parts().directory.declare(ingestion),
    rules: () => parts().directory.rules(),
    tables: (id) => each(id).flatMap(({ tables }) => tables.count()),
    rows: async (id, table, filter) => await one(id).rows({ ...filter, table }),
    calls: (id) => one(id).tableReader.calls(),
  };
}
