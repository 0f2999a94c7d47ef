import { TELEMETRY_PATH } from '../oms-protocol/paths.ts';

/** What a request on the agents' listener is for; the label `service` of its metric. */
export type RequestService = 'data' | 'enrolment' | 'check-in' | 'other';

// Any word may be asked for as a path; a label has these few values only.
const SERVICES: ReadonlyMap<string, RequestService> = new Map<string, RequestService>([
  ['operationaldata.svc', 'data'],
  ['diagnosticsdataservice.svc', 'data'],
  ['containerservice.svc', 'data'],
  ['blobs', 'data'],
  ['agentservice.svc', 'enrolment'],
  ['configurationservice.svc', 'enrolment'],
  ['.well-known', 'enrolment'],
  ['pki', 'enrolment'],
  ['agent', 'check-in'],
]);

const TELEMETRY = TELEMETRY_PATH.toLowerCase();

/** Which service a path belongs to, without regard to case. */
export function serviceOf(path: string): RequestService {
  const known = path.slice(0, 64).toLowerCase();
  return known === TELEMETRY ? 'check-in' : (SERVICES.get(known.split('/', 2)[1] ?? '') ?? 'other');
}
