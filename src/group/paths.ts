/** Where relays of a group ask each other, on the agents' port. */
export const JOIN_PATH = '/group/v1/join';
export const SNAPSHOT_PATH = '/group/v1/snapshot';
export const PRIMARY_PATH = '/group/v1/primary';
export const HAND_OVER_PATH = '/group/v1/hand-over';
export const CERTIFICATE_PATH = '/group/v1/certificate';
export const LEAVE_PATH = '/group/v1/leave';
export const HEARD_PATH = '/group/v1/heard';
export const FORWARD_PATH = '/group/v1/forward';
