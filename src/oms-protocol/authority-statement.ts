/**
 * What a relay says to a workspace that takes data straight from its agents: the roots its agents' certificates come from, and which agents
 * may send now. Each statement takes the place of the one before, so that it may be said again at any time.
 */
import { type AgentId, readAgentId } from '../workspace/workspace-id.ts';

/** Largest statement read, in bytes: a hundred thousand agents. */
export const MAX_STATEMENT_BYTES: number = 4 * 1024 * 1024;

const MAX_ROOTS = 8;
const MAX_PEM = 16_384;

export interface AuthorityStatement {
  /** PEM of every root that is to be trusted now. */
  readonly roots: readonly string[];
  /** The agents that may send; a certificate of any other agent is refused, whoever signed it. */
  readonly agents: readonly AgentId[];
}

export function writeAuthorityStatement({ roots, agents }: AuthorityStatement): string {
  return JSON.stringify({ roots, agents: [...agents].sort() });
}

/** Reads a statement; undefined when it is none, or beyond its bounds. */
export function readAuthorityStatement(body: Buffer): AuthorityStatement | undefined {
  const { roots, agents } = parse(body);
  if (!isTexts(roots) || !isTexts(agents) || roots.length > MAX_ROOTS || roots.some((pem) => pem.length > MAX_PEM)) return undefined;
  const ids = agents.map(readAgentId).filter((id) => id !== undefined);
  return ids.length === agents.length ? { roots, agents: ids } : undefined;
}

function parse(body: Buffer): { readonly roots?: unknown; readonly agents?: unknown } {
  if (body.length > MAX_STATEMENT_BYTES) return {};
  try {
    return (JSON.parse(body.toString('utf8')) as { roots?: unknown; agents?: unknown } | null) ?? {};
  } catch {
    return {};
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
