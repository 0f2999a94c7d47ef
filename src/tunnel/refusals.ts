/** Every way in which a tunnel is refused: what the client is told, how it is counted, and the Log Analytics gateway's event for the same thing. */

/** TLS alerts (RFC 8446 §6): the client's own TLS library shows them to its user. */
const ALERT = { decodeError: 50, protocolVersion: 70, unrecognizedName: 112 } as const;

interface RefusalRule {
  /** Told in HTTP before the tunnel stands. */
  readonly status: number;
  /** Told in TLS once it stands. */
  readonly alert?: number;
  /** `warn`: the way out is at fault, not the client. */
  readonly level: 'info' | 'warn';
  /** The event id by which the Log Analytics gateway reports the same. */
  readonly gatewayEvent: number;
  /** What was wrong, and what to do. */
  readonly meaning: string;
}

/** Why no tunnel came of a connection; the label `outcome` of the metric. */
export type RefusalReason =
  | 'not-connect'
  | 'bad-request'
  | 'head-timeout'
  | 'client-address'
  | 'client-certificate'
  | 'too-many'
  | 'too-many-of-client'
  | 'host'
  | 'port'
  | 'forbidden-address'
  | 'unresolved'
  | 'unreachable'
  | 'connect-timeout'
  | 'proxy-refused'
  | 'stopping'
  | 'not-tls'
  | 'old-tls'
  | 'no-name'
  | 'other-name'
  | 'malformed-hello'
  | 'hello-timeout'
  | 'client-gone';

const RULES: Readonly<Record<RefusalReason, RefusalRule>> = {
  'not-connect': {
    status: 405,
    level: 'info',
    gatewayEvent: 104,
    meaning: 'This port only opens tunnels (CONNECT). Use https:// addresses, or set no proxy for this one.',
  },
  'bad-request': { status: 400, level: 'info', gatewayEvent: 104, meaning: 'The request is no CONNECT of HTTP/1.1 with host and port.' },
  'head-timeout': { status: 408, level: 'info', gatewayEvent: 104, meaning: 'No whole request came in time.' },
  'client-address': {
    status: 403,
    level: 'info',
    gatewayEvent: 105,
    meaning: 'This address may not use the tunnel. An operator adds its network to tunnel.clientAddresses.',
  },
  'client-certificate': {
    status: 403,
    level: 'info',
    gatewayEvent: 105,
    meaning: 'Only approved agents may use the tunnel. Enrol this machine, and use its certificate towards the proxy.',
  },
  'too-many': { status: 503, level: 'warn', gatewayEvent: 105, meaning: 'There are as many tunnels as tunnel.maxConnections allows. Try again later.' },
  'too-many-of-client': {
    status: 503,
    level: 'info',
    gatewayEvent: 105,
    meaning: 'This address has as many tunnels as tunnel.maxConnectionsPerClient allows. Try again later.',
  },
  host: {
    status: 403,
    level: 'info',
    gatewayEvent: 105,
    meaning: 'No tunnel may lead to this host. If it is needed, an operator adds it to tunnel.allowHosts.',
  },
  port: { status: 403, level: 'info', gatewayEvent: 105, meaning: 'Tunnels lead to port 443 only, or to the port of a configured workspace.' },
  'forbidden-address': { status: 403, level: 'warn', gatewayEvent: 105, meaning: "The host's name leads to this machine or this link. Check the DNS entry." },
  unresolved: { status: 502, level: 'warn', gatewayEvent: 403, meaning: 'The name of the host cannot be resolved here. Check DNS.' },
  unreachable: { status: 502, level: 'warn', gatewayEvent: 403, meaning: 'The host cannot be reached from here. Check routes and firewalls.' },
  'connect-timeout': {
    status: 504,
    level: 'warn',
    gatewayEvent: 403,
    meaning: 'The host did not answer in time (tunnel.connectTimeout). Check routes and firewalls.',
  },
  'proxy-refused': { status: 502, level: 'warn', gatewayEvent: 403, meaning: 'The upstream proxy refused. Check tunnel.upstreamProxy and what it allows.' },
  stopping: { status: 503, level: 'info', gatewayEvent: 102, meaning: 'The relay is stopping. Try again later.' },
  'not-tls': { status: 400, level: 'info', gatewayEvent: 106, meaning: 'What came through the tunnel is not TLS. Use https:// addresses.' },
  'old-tls': {
    status: 400,
    alert: ALERT.protocolVersion,
    level: 'info',
    gatewayEvent: 106,
    meaning: 'The client offers no TLS 1.2 or later. Update it, or enable TLS 1.2.',
  },
  'no-name': {
    status: 400,
    alert: ALERT.unrecognizedName,
    level: 'info',
    gatewayEvent: 402,
    meaning: 'The ClientHello names no server (SNI). It must name the host that the tunnel was asked for.',
  },
  'other-name': {
    status: 400,
    alert: ALERT.unrecognizedName,
    level: 'info',
    gatewayEvent: 402,
    meaning: 'The ClientHello names another server (SNI) than the tunnel was asked for.',
  },
  'malformed-hello': { status: 400, alert: ALERT.decodeError, level: 'info', gatewayEvent: 402, meaning: 'The ClientHello cannot be read.' },
  'hello-timeout': { status: 408, level: 'info', gatewayEvent: 402, meaning: 'No whole ClientHello came in time (tunnel.helloTimeout).' },
  'client-gone': { status: 400, level: 'info', gatewayEvent: 403, meaning: 'The client went away before its ClientHello was there.' },
};

/** A refusal, and what was found. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** In a few words; goes to the client and into the log. */
  readonly found: string;
}

/** What is known of a reason. */
export function ruleOf(reason: RefusalReason): RefusalRule {
  return RULES[reason];
}

/** Every reason, for the documentation and for tests. */
export const REFUSAL_REASONS: readonly RefusalReason[] = Object.keys(RULES) as RefusalReason[];

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** An answer in HTTP: its status line holds the reason, its body the words. */
export interface HttpReply {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer to a request that gets no tunnel. */
export function replyOf({ reason, found }: Refusal): HttpReply {
  const { status, meaning } = ruleOf(reason);
  const body = `${reason}: ${found}. ${meaning}\n`;
  const headers = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
    ...(status === 405 ? { Allow: 'CONNECT' } : {}),
    ...(status === 503 ? { 'Retry-After': '30' } : {}),
  };
  return { status, statusText: `${STATUS_TEXT[status] ?? 'Refused'} (${reason})`, headers, body };
}

/** The same as it goes over the wire. */
export function httpReply(refusal: Refusal): string {
  const { status, statusText, headers, body } = replyOf(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${statusText}\r\n${lines.join('')}\r\n${body}`;
}

/** What goes back through a tunnel that is refused after it stood: a fatal TLS alert (RFC 8446 §6), or words for who speaks no TLS; undefined for nothing. */
export function tunnelReply(refusal: Refusal): Buffer | string | undefined {
  const { alert } = ruleOf(refusal.reason);
  if (alert !== undefined) return Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, alert]);
  return refusal.reason === 'not-tls' ? httpReply(refusal) : undefined;
}
