import type { Request } from '@hapi/hapi';

/** Reads the DER of the client certificate a request came with; undefined when it had none. */
export type PeerCertificate = (request: Request) => Buffer | undefined;
