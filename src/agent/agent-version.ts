import manifest from '../../package.json' with { type: 'json' };

/** The agent's version: the package's own. */
export const AGENT_VERSION: string = manifest.version;

/** What the agent calls itself in its requests. */
export const USER_AGENT: string = `RelayAgent/${AGENT_VERSION}`;
