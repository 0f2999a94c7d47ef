import { bareHost, type Target } from './target.ts';

const HTTPS_PORT = 443;

/** What the tunnel needs to know of a configured workspace. */
export interface TunnelWorkspace {
  readonly id: string;
  /** `opinsights.azure.com`; may hold a port. */
  readonly domain: string;
  /** An https address in place of the domain's two hosts. */
  readonly endpoint?: string | undefined;
  /** The address that agents send to when their data goes straight, if it has one of its own. */
  readonly direct?: { readonly endpoint?: string | undefined };
}

interface Cloud {
  /** Of the ingestion, handler and monitoring hosts. */
  readonly suffix: string;
  readonly others: readonly string[];
}

/** By the domain of its workspaces. Storage and automation hosts are left out: with a wildcard they are everybody's, and data could leave by them. */
const CLOUDS: Readonly<Record<string, Cloud>> = {
  'opinsights.azure.com': { suffix: 'azure.com', others: ['login.microsoftonline.com', 'management.azure.com', 'global.prod.microsoftmetrics.com'] },
  'opinsights.azure.us': { suffix: 'azure.us', others: ['login.microsoftonline.us', 'management.usgovcloudapi.net'] },
  'opinsights.azure.cn': { suffix: 'azure.cn', others: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn', 'management.chinacloudapi.cn'] },
};

/** The hosts and ports at which the configured workspaces themselves are reached. */
export function endpointsOf(workspaces: readonly TunnelWorkspace[]): Target[] {
  return workspaces.flatMap(({ id, domain, endpoint, direct }) => {
    const own = endpoint === undefined ? [`https://${id}.oms.${domain}`, `https://${id}.ods.${domain}`] : [endpoint];
    return [...own, ...(direct?.endpoint === undefined ? [] : [direct.endpoint])].map(targetOf);
  });
}

/** The hosts of the clouds those workspaces belong to, in these regions or in all: names, or `*.` before a domain. */
export function cloudHostsOf(workspaces: readonly TunnelWorkspace[], regions: readonly string[]): string[] {
  const domains = workspaces.flatMap(({ domain, endpoint }) => (endpoint === undefined ? [domain.toLowerCase()] : []));
  return [...new Set(domains)].flatMap((domain) => {
    const cloud = CLOUDS[domain];
    return cloud ? [...regionalHosts(cloud.suffix, regions), ...cloud.others] : [];
  });
}

// An ingestion endpoint's region is often followed by a number: dce.westeurope-1.ingest.monitor.azure.com.
function regionalHosts(suffix: string, regions: readonly string[]): string[] {
  const [ingest, handler, monitoring] = [`ingest.monitor.${suffix}`, `handler.control.monitor.${suffix}`, `monitoring.${suffix}`];
  if (regions.length === 0) return [`*.${ingest}`, `*.${handler}`, `*.${monitoring}`];
  const perRegion = regions.flatMap((region) => [`*.${region}.${ingest}`, `*.${region}-1.${ingest}`, `${region}.${handler}`, `${region}.${monitoring}`]);
  return [`global.${handler}`, ...perRegion];
}

function targetOf(address: string): Target {
  const { hostname, port } = new URL(address);
  return { host: bareHost(hostname.replace(/^\[(.*)\]$/, '$1')), port: port === '' ? HTTPS_PORT : Number(port) };
}
