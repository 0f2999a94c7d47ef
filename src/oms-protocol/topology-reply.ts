/**
 * The answer to a topology request (§1.7). Agents read it with regular expressions, so it must stay on one line, with double quotes,
 * an https address that ends in RenewCertificate, a DSC endpoint that is not empty, and valid durations.
 */
import { MAX_TOPOLOGY_BYTES } from './topology-request.ts';
import { escapeXml } from './xml.ts';

export interface TopologyReply {
  /** Must begin with https and end in `RenewCertificate`. */
  readonly renewalAddress: string;
  /** Asks the agent for a new certificate now. Never true for one that has just been renewed: the agent would recurse without pause. */
  readonly renewCertificate: boolean;
  /** Some address that is not empty; the Linux agent stores it for its configuration component. */
  readonly configurationAddress: string;
  /** Seconds; agents honour 60 s to 7 days. */
  readonly topologyIntervalS: number;
  /** Seconds; agents honour 60 s to 1 hour. */
  readonly telemetryIntervalS: number;
  /** A fresh UUID. */
  readonly id: string;
}

const NAMESPACES =
  'xmlns="http://schemas.microsoft.com/WorkloadMonitoring/HealthServiceProtocol/2014/09/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

/** Writes the answer, on one line. */
export function writeTopologyReply(reply: TopologyReply): string {
  const intervals = `queryInterval="${duration(reply.topologyIntervalS, 60, 604_800)}" telemetryReportInterval="${duration(reply.telemetryIntervalS, 60, 3_600)}"`;
  const renewal = `<CertificateUpdateEndpoint updateCertificate="${reply.renewCertificate}">${escapeXml(reply.renewalAddress)}</CertificateUpdateEndpoint>`;
  const configuration = `<DscConfiguration><Endpoint>${reply.configurationAddress}</Endpoint></DscConfiguration>`;
  return `<?xml version="1.0" encoding="utf-8"?><LinuxAgentTopologyResponse ${intervals} id="${reply.id}" ${NAMESPACES}>${renewal}${configuration}</LinuxAgentTopologyResponse>`;
}

/** What a client takes from the answer. */
export type ReceivedReply = Pick<TopologyReply, 'renewalAddress' | 'renewCertificate' | 'topologyIntervalS'>;

/** Reads the answer as strictly as agents do; undefined when an item that they need is missing, or beyond 64 KiB. The interval is within their bounds. */
export function readTopologyReply(text: string): ReceivedReply | undefined {
  if (text.length > MAX_TOPOLOGY_BYTES) return undefined;
  const renewal = /<CertificateUpdateEndpoint updateCertificate="(true|false)">(https[^<\n]*RenewCertificate)<\/CertificateUpdateEndpoint>/.exec(text);
  const configuration = /<DscConfiguration[^<>\n]*>.*?<Endpoint>[^<\n]+<\/Endpoint>.*DscConfiguration>/.exec(text);
  const interval = readDuration(/queryInterval="(.*?)"/.exec(text)?.[1] ?? '');
  if (!renewal?.[2] || !configuration || interval === undefined) return undefined;
  return { renewCertificate: renewal[1] === 'true', renewalAddress: renewal[2], topologyIntervalS: within(interval, 60, 604_800) };
}

function duration(seconds: number, least: number, most: number): string {
  return `PT${within(Math.round(seconds), least, most)}S`;
}

function within(seconds: number, least: number, most: number): number {
  return Math.min(Math.max(seconds, least), most);
}

// ISO 8601 durations as the service writes them: P[nD][T[nH][nM][nS]].
function readDuration(text: string): number | undefined {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!match || text.endsWith('P') || text.endsWith('T')) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days ?? 0) * 24 + (hours ?? 0)) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}
