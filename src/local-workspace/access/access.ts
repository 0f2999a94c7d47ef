import { randomBytes } from 'node:crypto';
import type { AuditEvent, EnterAudit } from '../../audit/entry.ts';
import { type Clock, every } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { openAccessDatabase } from './access-database.ts';
import type { AccessEvent } from './access-event.ts';
import { type Actor, auditActor, OPERATOR } from './actor.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { type Authorise, createAuthorise } from './authorise.ts';
import { createBadTokens } from './bad-tokens.ts';
import { createRegistrar } from './registrar.ts';
import { createRequestStore } from './request-store.ts';
import { createTokenStore } from './token-store.ts';
import type { Chance } from './token-text.ts';
import { createTokens, type Tokens } from './tokens.ts';

const LOOK_FOR_ENDS_MS = 60_000;

export interface AccessParts {
  /** Where `access.sqlite` is kept; it must be there. */
  readonly dataFolder: string;
  /** Whether this process has the workspace. */
  readonly isHosted: (id: WorkspaceId) => boolean;
  /** Takes every decision and every refused attempt. It must count what repeats, as `openAccessAudit` does. */
  readonly enter: EnterAudit;
  /** Told of what others must hear of. It must not throw. */
  readonly onEvent?: ((event: AccessEvent) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Random bytes; those of node:crypto unless given. */
  readonly chance?: Chance | undefined;
}

/** What an actor did, besides how it ended. */
export interface Deed {
  readonly action: string;
  readonly workspaceId: WorkspaceId;
  /** On what in the workspace, such as `table Syslog`; the workspace itself unless given. */
  readonly what?: string | undefined;
  readonly detail?: string | undefined;
  /** `done` unless given. */
  readonly result?: AuditEvent['result'] | undefined;
}

/** Who may do what in the workspaces of this process. */
export interface Access {
  /** Says whether a request may do what it wants; 401, 403 or 429 with the words otherwise. Every refusal is entered. */
  readonly authorise: Authorise;
  /** Whoever speaks at the control socket. */
  readonly operator: Actor;
  readonly tokens: Tokens;
  readonly requests: Omit<Approvals, 'rolesOf' | 'endWhatIsOver'>;
  /** Enters what an actor did: queries, exports, locks and the like. */
  audited(actor: Actor, deed: Deed): void;
  close(): void;
}

/** Opens the access database and looks each minute for support access that is over. Throws `relay.local-workspace.database-unusable`. */
export async function openAccess(parts: AccessParts): Promise<Access> {
  const { dataFolder, isHosted, enter, onEvent = () => {}, clock, log, chance = randomBytes } = parts;
  const database = await openAccessDatabase(dataFolder);
  const store = createTokenStore(database);
  const registrar = createRegistrar(enter);
  const approvals = createApprovals({ store: createRequestStore(database), tokens: store, registrar, onEvent, now: clock.now, chance, log });
  approvals.endWhatIsOver();
  const stopLooking = every(clock, LOOK_FOR_ENDS_MS, approvals.endWhatIsOver);
  return {
    authorise: createAuthorise({ store, approvals, badTokens: createBadTokens(), isHosted, enter, onEvent, log }),
    operator: OPERATOR,
    tokens: createTokens({ store, isHosted, registrar, now: clock.now, chance }),
    requests: approvals,
    audited(actor, { action, workspaceId, what, detail, result = 'done' }) {
      enter({ actor: auditActor(actor), action, on: what === undefined ? workspaceId : `${workspaceId} ${what}`, from: actor.from, result, detail });
    },
    close() {
      stopLooking();
      database.close();
    },
  };
}
