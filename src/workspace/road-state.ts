import type { PathOptions } from './path-options.ts';

/** What a road refuses a connection for. */
export const ROAD_REFUSAL_REASONS = [
  'not-private',
  'not-a-peer',
  'no-source',
  'other-route',
  'other-source',
  'other-peer',
  'proxy-credentials',
  'proxy-refused',
  'proxy-unreachable',
] as const;
export type RoadRefusalReason = (typeof ROAD_REFUSAL_REASONS)[number];

/** A connection that was not made because it would have left by another road. */
export interface RoadRefusal {
  readonly reason: RoadRefusalReason;
  /** What was wrong, the value found, what to do. */
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What a host's name led to. */
export interface ResolvedHost {
  readonly host: string;
  readonly addresses: readonly string[];
  /** The names on the way, the host's own left out; empty where nobody told. */
  readonly chain: readonly string[];
  /** `system`, `configuration` (pinned addresses), `literal` (the host is an address), or the name servers asked. */
  readonly by: string;
}

/** A road as it was last taken. */
export interface RoadState {
  readonly kind: PathOptions['kind'];
  readonly resolved?: ResolvedHost | undefined;
  /** The proxy, as host and port, when the last connection went by it. */
  readonly proxy?: string | undefined;
  readonly sourceAddress?: string | undefined;
  /** The proxy's when there is one. */
  readonly peerAddress?: string | undefined;
  readonly peerIs?: 'public' | 'private' | undefined;
  /** When a connection last passed every check; milliseconds since 1970. */
  readonly verifiedAt?: number | undefined;
  readonly refusal?: RoadRefusal | undefined;
}

/** The roads of a workspace. */
export interface WorkspaceRoads {
  readonly data: RoadState;
  /** Only where signing in has a road of its own. */
  readonly signIn?: RoadState | undefined;
}
