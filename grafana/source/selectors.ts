/** The label matchers that tie a query to the choices at the head of a dashboard. */
export const RELAY = 'instance=~"$relay"';
export const WORKSPACE: string = `${RELAY}, workspace=~"$workspace"`;
export const KIND: string = `${WORKSPACE}, kind=~"$kind"`;
/** For metrics in which what belongs to no workspace has an empty one. */
export const WORKSPACE_OR_NONE: string = `${RELAY}, workspace=~"$workspace|"`;
/** prom-client's own figures of the relay's process, which other programs have as well. */
export const PROCESS: string = `job="relay", ${RELAY}`;
export const NODE = 'job="node", instance=~"$node"';
export const REDIS = 'job="redis", instance=~"$redis"';
