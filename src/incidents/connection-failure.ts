import { messageOf } from '../errors.ts';

/** Node's and OpenSSL's names for what can be wrong with a server's certificate. */
const OF_CERTIFICATE = /CERT|SIGNATURE|ISSUER|ALTNAME/;

/** What kept a connection from being made or used, for a time line; `option` names the file with the authorities that the server is verified by. */
export function connectionFailure(error: unknown, option: string): string {
  const { code, originalCode } = (error ?? {}) as { readonly code?: unknown; readonly originalCode?: unknown };
  const name = [originalCode, code].find((each): each is string => typeof each === 'string' && OF_CERTIFICATE.test(each));
  if (name !== undefined) return `its certificate cannot be trusted (${name}); check its name, its dates and ${option}`;
  return messageOf(error).slice(0, 300);
}
