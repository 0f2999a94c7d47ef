import { RelayError } from '../../errors.ts';
import type { RoadRefusalReason } from '../../workspace/road-state.ts';

/** A road's refusal on its way to whoever wanted the connection. */
export class RoadError extends RelayError {
  readonly reason: RoadRefusalReason;

  constructor(reason: RoadRefusalReason, message: string) {
    super(`relay.path.${reason}`, message);
    this.reason = reason;
  }
}

export function roadError(reason: RoadRefusalReason, message: string): RoadError {
  return new RoadError(reason, message);
}
