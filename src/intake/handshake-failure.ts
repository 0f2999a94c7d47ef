/** Why a connection came to no request: the label `reason`. */
export type FailureReason = 'not-tls' | 'old-tls' | 'handshake-timeout' | 'reset' | 'handshake';

const REASONS: Readonly<Record<string, FailureReason>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
  ERR_SSL_HTTP_REQUEST: 'not-tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'old-tls',
  ERR_SSL_VERSION_TOO_LOW: 'old-tls',
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: 'old-tls',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'handshake-timeout',
  ECONNRESET: 'reset',
};

/** Why a handshake failed, as a label, by the code of its error. `not-tls` is mostly a sender that was told to speak plain TCP. */
export function handshakeFailure(code: string | undefined): FailureReason {
  return REASONS[code ?? ''] ?? 'handshake';
}
