import { type AgentId, readAgentId } from '../workspace/workspace-id.ts';
import { child, escapeXml, readXml, type XmlElement } from './xml.ts';

/** Largest topology or renewal request read, in bytes; real ones are about 2 KB. */
export const MAX_TOPOLOGY_BYTES: number = 64 * 1024;

const NAMESPACES =
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="http://schemas.microsoft.com/WorkloadMonitoring/HealthServiceProtocol/2014/09/"';

/** What an agent says of itself at onboarding and at each "heartbeat" (§1.6). */
export interface TopologyRequest {
  readonly hostName: string;
  readonly agentId: AgentId;
  /** DER of the certificate it will be known by. */
  readonly certificate: Buffer;
  /** Such as `Debian GNU/Linux 12.11`; empty when the agent did not say. */
  readonly operatingSystem: string;
}

/** Reads the body of a topology request; undefined when it is none. */
export function readTopologyRequest(body: Buffer): TopologyRequest | undefined {
  const root = readDocument(body, 'AgentTopologyRequest');
  const agentId = readAgentId(textOf(root, 'EntityTypeId'));
  const certificate = readBase64(textOf(root, 'AuthenticationCertificate'));
  if (!agentId || !certificate) return undefined;
  return {
    // The element's name is misspelt on the wire, and its text holds line feeds.
    hostName: textOf(root, 'FullyQualfiedDomainName').replace(/\s+/g, '').slice(0, 255),
    agentId,
    certificate,
    operatingSystem: operatingSystemOf(child(root, 'OperatingSystem')),
  };
}

/** Writes the body of a topology request, as the Linux agent does. */
export function writeTopologyRequest(request: TopologyRequest): string {
  const [name, version] = splitOnce(request.operatingSystem);
  const system = `<OperatingSystem><InContainer>False</InContainer><Name>${escapeXml(name)}</Name><Version>${escapeXml(version)}</Version><Manufacturer>${escapeXml(name)}</Manufacturer><Telemetry></Telemetry><ProcessorArchitecture>x64</ProcessorArchitecture></OperatingSystem>`;
  return `<?xml version="1.0"?>\n<AgentTopologyRequest ${NAMESPACES}><FullyQualfiedDomainName>${escapeXml(request.hostName)}</FullyQualfiedDomainName><EntityTypeId>${request.agentId}</EntityTypeId><AuthenticationCertificate>${request.certificate.toString('base64')}</AuthenticationCertificate>${system}</AgentTopologyRequest>`;
}

/** Reads the body of a certificate renewal (§2.3): DER of the new certificate; undefined when it is none. */
export function readRenewalRequest(body: Buffer): Buffer | undefined {
  return readBase64(textOf(readDocument(body, 'CertificateUpdateRequest'), 'NewCertificate'));
}

/** Writes the body of a certificate renewal. */
export function writeRenewalRequest(certificate: Buffer): string {
  return `<?xml version="1.0"?>\n<CertificateUpdateRequest ${NAMESPACES}><NewCertificate>${certificate.toString('base64')}</NewCertificate></CertificateUpdateRequest>`;
}

function readDocument(body: Buffer, rootName: string): XmlElement | undefined {
  if (body.length > MAX_TOPOLOGY_BYTES) return undefined;
  const root = readXml(body.toString('utf8'));
  return root?.name === rootName ? root : undefined;
}

function textOf(parent: XmlElement | undefined, name: string): string {
  return child(parent, name)?.text ?? '';
}

// PEM without its first and last line, with line feeds or spaces between.
function readBase64(text: string): Buffer | undefined {
  const base64 = text.replace(/\s+/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}

function operatingSystemOf(element: XmlElement | undefined): string {
  return `${textOf(element, 'Name')} ${textOf(element, 'Version')}`.replace(/\s+/g, ' ').trim().slice(0, 120);
}

function splitOnce(text: string): [string, string] {
  const at = text.lastIndexOf(' ');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
