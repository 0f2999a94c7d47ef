import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { EngineEvent, OperationName } from './operations.ts';

/** To the engine's thread. */
export interface Asked {
  readonly id: number;
  readonly name: OperationName;
  readonly workspaceId: WorkspaceId;
  readonly given: unknown;
}

/** To it: nobody waits for this answer any more. */
export interface GivenUp {
  readonly givenUp: number;
}

/** From it. An error keeps its code and message; its causes are in the message. */
export type Told =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { readonly code: string | undefined; readonly message: string } }
  | { readonly event: EngineEvent };
