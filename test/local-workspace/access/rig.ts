import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { AuditEvent } from '../../../src/audit/entry.ts';
import { type Access, openAccess } from '../../../src/local-workspace/access/access.ts';
import type { AccessEvent } from '../../../src/local-workspace/access/access-event.ts';
import type { Actor, Authorised, Outcome } from '../../../src/local-workspace/access/actor.ts';
import type { Action, Role, Standing } from '../../../src/local-workspace/access/rights.ts';
import type { ShownRequest } from '../../../src/local-workspace/access/shown-request.ts';
import type { CreatedToken } from '../../../src/local-workspace/access/tokens.ts';
import { silentLogger } from '../../../src/logger.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
export const PLANT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');
/** A workspace that is not there. */
export const NOWHERE: WorkspaceId = parseWorkspaceId('33333333-3333-4333-8333-333333333333');

export const START: number = Date.UTC(2026, 10, 23, 8);
export const MINUTE: number = 60_000;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

export interface AccessRig {
  readonly dataFolder: string;
  readonly clock: ManualClock;
  readonly entries: AuditEvent[];
  readonly events: AccessEvent[];
  /** The one that is open. */
  access(): Access;
  /** The workspaces of the process. */
  readonly hosted: Set<WorkspaceId>;
  /** Closes it and opens it again. */
  restart(): Promise<void>;
  /** A token made by the operator. */
  token(role: Standing, more?: { name?: string; days?: number; workspaces?: WorkspaceId[]; in?: WorkspaceId }): CreatedToken;
  ask(secret: string | undefined, action: Action, workspaceId?: WorkspaceId, from?: string): Authorised;
  /** Who a token's holder is, once let in. */
  actor(token: CreatedToken, action: Action, workspaceId?: WorkspaceId): Actor;
  /** A support person's request for a role in the bank's workspace. */
  request(support: CreatedToken, role: Role, minutes?: number, workspaceId?: WorkspaceId): ShownRequest;
}

/** A folder that is gone after the test. */
export async function folderFor(t: TestContext): Promise<string> {
  const folder = await temporaryFolder();
  t.after(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

/** Access to two workspaces, with a clock that is turned by hand. */
export async function createAccessRig(t: TestContext): Promise<AccessRig> {
  const dataFolder = await folderFor(t);
  const clock = createManualClock(START);
  const hosted = new Set([BANK, PLANT]);
  const entries: AuditEvent[] = [];
  const events: AccessEvent[] = [];
  const open = (): Promise<Access> =>
    openAccess({
      dataFolder,
      isHosted: (id) => hosted.has(id),
      enter: (event) => void entries.push(event),
      onEvent: (event) => void events.push(event),
      clock,
      log: silentLogger,
    });
  let access = await open();
  t.after(() => access.close());

  const ask: AccessRig['ask'] = (secret, action, workspaceId = BANK, from = '192.0.2.1') =>
    access.authorise({ authorization: secret && `Bearer ${secret}`, workspaceId, action, from, now: clock.now() });
  const actor: AccessRig['actor'] = ({ secret }, action, workspaceId) => {
    const found = ask(secret, action, workspaceId);
    assert.ok(found.allowed, `${action} is refused`);
    return found.actor;
  };
  return {
    dataFolder,
    clock,
    entries,
    events,
    access: () => access,
    hosted,
    async restart() {
      access.close();
      access = await open();
    },
    token(role, { name = `a ${role}`, days = 90, workspaces = [], in: workspaceId = BANK } = {}) {
      return resultOf(access.tokens.create(access.operator, workspaceId, { name, role, days, workspaces }));
    },
    ask,
    actor,
    request(support, role, minutes = 240, workspaceId = BANK) {
      const asking = actor(support, 'access.request', workspaceId);
      return resultOf(access.requests.request(asking, workspaceId, { role, reason: 'the disk is full', minutes }));
    },
  };
}

/** What an order gave. */
export function resultOf<Value>(outcome: Outcome<Value>): Value {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.value;
}

/** Status and code of a refusal; `done` when it was none. */
export function endOf(outcome: Outcome<unknown> | Authorised): string {
  if ('ok' in outcome) return outcome.ok ? 'done' : `${outcome.refusal.status} ${outcome.refusal.code}`;
  return outcome.allowed ? 'done' : `${outcome.refusal.status} ${outcome.refusal.code}`;
}
