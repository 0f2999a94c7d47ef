/** Limits of the Logs Ingestion API, in bytes. */

/** What the service counts first: the bytes of the body on the wire, compressed or not. */
export const MAX_REQUEST_BYTES: number = 1_048_576;
/** To this a request is filled. */
export const FULL_REQUEST_BYTES: number = 1_020 * 1_024;
/** What it counts next: the body inflated. */
export const MAX_RAW_BYTES: number = 50 * 1_024 * 1_024;
/** A table of the auxiliary plan takes records of so many milliseconds in one request. */
export const AUXILIARY_SPAN_MS: number = 30 * 60_000;
/** Of one data collection rule. */
export const REQUESTS_A_MINUTE = 12_000;
export const BYTES_A_MINUTE = 2_000_000_000;
