/** Times in milliseconds since 1970. */
export interface SignInState {
  /** Until when the token at hand is good. */
  readonly endsAt?: number | undefined;
  readonly refreshDueAt?: number | undefined;
  /** Why the last try gave no token; undefined after one that did. */
  readonly lastError?: string | undefined;
  /** Until when the certificate, or the secret by the operator's word, is good. */
  readonly secretEndsAt?: number | undefined;
}
