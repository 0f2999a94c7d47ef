import { readBasic } from '../../basic-credentials.ts';

/** What a sender asks a token with. */
export interface TokenForm {
  readonly grantType: string | undefined;
  readonly clientId: string | undefined;
  /** As it may have been meant: decoded, and as it came, from senders that do not encode their forms. */
  readonly secrets: readonly string[];
}

/**
 * Reads a form (RFC 6749, section 4.4.2). Some senders percent-encode it, others do not (Fluent Bit's `azure_logs_ingestion`): what only one
 * reading makes sense of is taken so. Client id and secret may also come by the basic scheme (section 2.3.1).
 */
export function readTokenForm(body: string, authorization: string | undefined): TokenForm {
  const decoded = new URLSearchParams(body);
  const plain = new Map(body.split('&').map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]));
  const basic = readBasic(authorization);
  const secrets = basic ? [basic.password, percentDecoded(basic.password)] : [decoded.get('client_secret'), plain.get('client_secret')];
  return {
    grantType: decoded.get('grant_type') ?? undefined,
    clientId: (basic && percentDecoded(basic.name)) ?? decoded.get('client_id') ?? undefined,
    secrets: [...new Set(secrets.filter((secret) => secret !== undefined && secret !== null && secret !== ''))] as string[],
  };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
