import { randomUUID } from 'node:crypto';

/** The body of a refusal as Entra writes it. Its ids are made up: nobody could look them up. */
export function writeTokenRefusal({ error, code, message }: { readonly error: string; readonly code: number; readonly message: string }, now: number): object {
  const [traceId, correlationId] = [randomUUID(), randomUUID()];
  const timestamp = `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return {
    error,
    error_description: `AADSTS${code}: ${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  };
}
