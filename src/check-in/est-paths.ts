/** Paths of EST (RFC 7030 §3.2.2) that our agent uses. */
export const EST_ROOTS_PATH = '/.well-known/est/cacerts';
export const EST_RENEW_PATH = '/.well-known/est/simplereenroll';
