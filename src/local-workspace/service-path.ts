/** The services behind one port. `data`: the agents' protocol, and whatever is neither of the others. */
export const SERVICES = ['data', 'ingestion', 'token'] as const;

export type Service = (typeof SERVICES)[number];

const INGESTION = /^\/dataCollectionRules\/(?<rule>[^/]*)/i;
const TOKEN = /^\/[^/]+\/(?:oauth2\/|v2\.0\/\.well-known\/|discovery\/)/i;

/** Which service a path belongs to. */
export function serviceOf(path: string): Service {
  if (INGESTION.test(path)) return 'ingestion';
  return TOKEN.test(path) ? 'token' : 'data';
}

/** The immutable id of the data collection rule that a path names. */
export function ruleOf(path: string): string | undefined {
  return INGESTION.exec(path)?.groups?.['rule'];
}
