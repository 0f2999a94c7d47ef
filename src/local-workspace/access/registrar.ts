import type { EnterAudit } from '../../audit/entry.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type Actor, auditActor, type Outcome, SYSTEM } from './actor.ts';

/** Enters in the audit log what came of orders about access. What it is done on always begins with the workspace's id. */
export interface Registrar {
  /** Enters how an order ended, and gives it on. */
  entered<Value>(order: Order, outcome: Outcome<Value>, detail?: string): Outcome<Value>;
  /** Enters what time did. */
  bySystem(action: string, workspaceId: WorkspaceId, what: string, detail: string): void;
}

export interface Order {
  readonly actor: Actor;
  /** As `noun.verb`. */
  readonly action: string;
  readonly workspaceId: WorkspaceId;
  /** A token or request, such as `token 3f1c2d4e5a6b`. */
  readonly what: string;
}

export function createRegistrar(enter: EnterAudit): Registrar {
  return {
    entered({ actor, action, workspaceId, what }, outcome, detail) {
      const { from } = actor;
      const result = outcome.ok ? 'done' : 'refused';
      enter({ actor: auditActor(actor), action, on: `${workspaceId} ${what}`, from, result, detail: outcome.ok ? detail : outcome.refusal.message });
      return outcome;
    },
    bySystem(action, workspaceId, what, detail) {
      enter({ actor: auditActor(SYSTEM), action, on: `${workspaceId} ${what}`, from: SYSTEM.name, result: 'done', detail });
    },
  };
}
