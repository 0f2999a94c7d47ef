/**
 * What the relay tells one of our agents when it checks in: which solutions it collects, how often, and by which route each goes.
 * `GET /agent/configuration` on the intake port, with the agent's certificate. The answer's ETag is its version; with `If-None-Match` the relay
 * answers 304 without a body, and with `?wait=<seconds>` (60 at most) only once something has changed or the time is over.
 */
import { z } from 'zod';
import { RelayError } from '../errors.ts';

export const CONFIGURATION_PATH = '/agent/configuration';
/** `POST` with `{"stream":"…"}`: a short-lived token for exactly that stream, where the workspace wants tokens. */
export const DIRECT_TOKEN_PATH = '/agent/direct-token';
/** Longest wait of a long poll, in seconds. */
export const LONGEST_WAIT_S = 60;
const MAX_TEXT = 2_048;
const MAX_PEM = 16_384;

/** By which way data goes: through the relay, or straight from the agent to the workspace. */
export type Route = 'relay' | 'direct';

/** How the agent collects one solution. */
export interface SolutionSetting {
  /** As in the table of solutions: `Performance counters`, `Agent Health` … */
  readonly name: string;
  readonly isEnabled: boolean;
  /** How often it is collected, in milliseconds. */
  readonly everyMs: number;
  readonly route: Route;
  /** Data types (in capital letters) whose route is another. */
  readonly dataTypes?: Readonly<Record<string, Route>> | undefined;
}

/** The way of one data type of a solution. */
export function routeIn({ route, dataTypes }: SolutionSetting, dataType: string): Route {
  return dataTypes?.[dataType.toUpperCase()] ?? route;
}

/** How the agent reaches its workspace without the relay. */
export interface DirectWay {
  /** Address of the workspace's Operational Data endpoint: https, host and port. */
  readonly endpoint: string;
  /** PEM of the roots that the workspace's server certificate may come from; none: the system's. */
  readonly trust: readonly string[];
  /** How the agent shows who it is: with its certificate from the management group, or with a token that the relay hands out. */
  readonly credential: 'certificate' | 'token';
  /** With tokens: the data collection rule that rows go to, and its stream for each data type (in capital letters). */
  readonly rule?: { readonly id: string; readonly streams: Readonly<Record<string, string>> } | undefined;
  /**
   * The relay's tunnel, or another proxy, when there is no other way out: host and port. With `https://` before them it speaks TLS, under a root of
   * the management group, and asks for the agent's certificate.
   */
  readonly proxy?: string | undefined;
}

export interface AgentConfiguration {
  readonly version: string;
  readonly solutions: readonly SolutionSetting[];
  /** Absent: this agent has no direct way; what is marked direct waits in its queue. */
  readonly direct?: DirectWay | undefined;
  /** Bytes of disk that the agent's queue may take; absent: the agent's own setting. */
  readonly queueLimitBytes?: number | undefined;
  /** PEM of every root of the management group that is to be trusted now, the current one first. */
  readonly roots: readonly string[];
  /** Addresses of all relays of the group, the one that answers first; absent for a relay in no group. */
  readonly relays?: readonly string[] | undefined;
}

const route = z.enum(['relay', 'direct']);

const configuration: z.ZodType<AgentConfiguration> = z.object({
  version: z.string().max(128),
  solutions: z
    .array(
      z.object({
        name: z.string().max(MAX_TEXT),
        isEnabled: z.boolean(),
        everyMs: z.number().int().positive(),
        route,
        dataTypes: z.record(z.string().max(MAX_TEXT), route).optional(),
      }),
    )
    .max(256),
  direct: z
    .object({
      endpoint: z.url().max(MAX_TEXT),
      trust: z.array(z.string().max(MAX_PEM)).max(8),
      credential: z.enum(['certificate', 'token']),
      rule: z.object({ id: z.string().max(MAX_TEXT), streams: z.record(z.string().max(MAX_TEXT), z.string().regex(/^[\w-]{1,200}$/)) }).optional(),
      proxy: z.string().max(MAX_TEXT).optional(),
    })
    .optional(),
  queueLimitBytes: z.number().int().positive().optional(),
  roots: z.array(z.string().max(MAX_PEM)).min(1).max(4),
  relays: z
    .array(z.url({ protocol: /^https$/ }).max(MAX_TEXT))
    .max(16)
    .optional(),
});

/** Reads the relay's answer; keys that this release does not know are left out. Throws `relay.agent.bad-configuration`. */
export function readAgentConfiguration(text: string): AgentConfiguration {
  const parsed = configuration.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 3);
  throw new RelayError('relay.agent.bad-configuration', `The relay's configuration for this agent cannot be used (${what.join('; ')}). The one before stays.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
