import { TELEMETRY_PATH } from '../oms-protocol/paths.ts';

/** What a request on the agents' listener is for; the label `service` of its metric. */
export type RequestService = 'data' | 'enrolment' | 'sign-in' | 'check-in' | 'other';

// Any word may be asked for as a path; a label has these few values only.
const SERVICES: ReadonlyMap<string, RequestService> = new Map<string, RequestService>([
  ['operationaldata.svc', 'data'],
  ['diagnosticsdataservice.svc', 'data'],
  ['containerservice.svc', 'data'],
  ['blobs', 'data'],
  ['api', 'data'],
  ['datacollectionrules', 'data'],
  ['v1', 'data'],
  ['agentservice.svc', 'enrolment'],
  ['configurationservice.svc', 'enrolment'],
  ['.well-known', 'enrolment'],
  ['pki', 'enrolment'],
  ['agent', 'check-in'],
]);

// Below the name of a tenant, which may be any.
const SIGN_IN = /^\/[^/]+\/(?:oauth2\/|v2\.0\/\.well-known|discovery\/instance)/;
const TELEMETRY = TELEMETRY_PATH.toLowerCase();

/** Which service a path belongs to, without regard to case. */
export function serviceOf(path: string): RequestService {
  const known = path.slice(0, 64).toLowerCase();
  if (known === TELEMETRY) return 'check-in';
  if (SIGN_IN.test(known)) return 'sign-in';
  return SERVICES.get(known.split('/', 2)[1] ?? '') ?? 'other';
}
