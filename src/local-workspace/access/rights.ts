/** Who may do what in a workspace: this table is the only place that says so. */

/** What can be done in a workspace; every request is one of these. */
export const ACTIONS = [
  'query',
  'tables.list',
  'retention.read',
  'retention.change',
  'purge.request',
  'purge.read',
  'lock.read',
  'lock.set',
  'lock.lift',
  'table.delete',
  'export.create',
  'export.read',
  'saved-query.read',
  'saved-query.write',
  'incident.read',
  'incident.change',
  'key.read',
  'key.rotate',
  'key.change',
  'access.read',
  'access.grant',
  'access.request',
  'access.decide',
  'audit.read',
  'workspace.status',
  'processing.change',
] as const;

export type Action = (typeof ACTIONS)[number];

/** What a token may be in its workspace. A data purger removes data and never reads it, as the service's role of that name. */
export const ROLES = ['reader', 'contributor', 'data-purger', 'owner'] as const;

export type Role = (typeof ROLES)[number];

/** A role, or the standing of a support person's token, which by itself may only ask for a role. */
export type Standing = Role | 'support';

const READER: readonly Action[] = ['query', 'tables.list', 'retention.read', 'lock.read', 'workspace.status'];

/** role × action. */
export const RIGHTS: Readonly<Record<Standing, readonly Action[]>> = {
  reader: READER,
  contributor: [...READER, 'retention.change', 'export.create', 'export.read', 'saved-query.read', 'saved-query.write', 'incident.read', 'incident.change'],
  'data-purger': ['tables.list', 'purge.request', 'purge.read'],
  owner: ACTIONS,
  support: ['access.request'],
};

/** What support may not do even as an owner: it would outlive the hours that were approved. */
export const LASTING: readonly Action[] = ['access.grant', 'access.decide', 'key.change'];

/** Whether this standing permits the action. */
export function mayDo(standing: Standing, action: Action): boolean {
  return RIGHTS[standing].includes(action);
}

/** Whether a role that was approved for some hours permits the action. */
export function mayDoForAWhile(role: Role, action: Action): boolean {
  return mayDo(role, action) && !LASTING.includes(action);
}

/** The roles that permit an action, for messages. */
export function rolesFor(action: Action): Role[] {
  return ROLES.filter((role) => mayDo(role, action));
}
