/** The Logs Ingestion API as it goes over the wire, for those who ask and those who answer. */

/** Where rows of a stream are sent: the rule's immutable id, then the stream's name. */
export const INGESTION_PATH = '/dataCollectionRules/{immutableId}/streams/{stream}';

/** Versions of the API that are answered. */
export const INGESTION_VERSIONS: readonly string[] = ['2023-01-01', '2023-04-01-preview', '2021-11-01-preview'];

/** Largest body that the service takes on the wire, in bytes, gzip or not. */
export const MAX_CALL_BYTES = 1_048_576;

/** The service's word for a body that is larger than `maxBytes`. */
export function tooLongMessage(maxBytes: number, bytes: number): string {
  return `Maximum allowed content length: ${maxBytes} bytes (${Math.round((maxBytes / 1_048_576) * 100) / 100} MB). Provided content length: ${bytes} bytes.`;
}

/** The challenge of a 401, which tells a client where to sign in; without a claims challenge, which Microsoft's JavaScript client answers wrongly. */
export function bearerChallenge(host: string, tenant: string, isInvalid: boolean): string {
  return `Bearer authorization_uri="https://${host}/${tenant}"${isInvalid ? ', error="invalid_token"' : ''}`;
}
