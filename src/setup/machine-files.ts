import { join } from 'node:path';

/** The files of the machine that setup writes or reads, beside the relay's own places. */
export interface MachineFiles {
  readonly hostName: string;
  readonly netplan: string;
  /** What cloud-init wrote; moved out of the way when setup owns the network. */
  readonly cloudNetplan: string;
  readonly cloudSettings: string;
  readonly resolver: string;
  readonly timeSources: string;
  /** Arguments of the Prometheus exporter of this machine. */
  readonly exporter: string;
  readonly authorizedKeys: string;
  readonly credentialsDropIn: string;
  /** The machine's own network facts: which side is management. */
  readonly machineNetwork: string;
  readonly trust: string;
  readonly firewall: string;
  /** systemd-networkd's folder of the administrator. */
  readonly networkd: string;
  readonly issue: string;
  readonly console: string;
  readonly userData: string;
  readonly cloud: string;
  readonly users: string;
  readonly groups: string;
}

/** These files on a machine whose file system begins at `root`. */
export function machineFiles(root = '/'): MachineFiles {
  const at = (...names: readonly string[]): string => join(root, ...names);
  return {
    hostName: at('etc/hostname'),
    netplan: at('etc/netplan/60-relay.yaml'),
    cloudNetplan: at('etc/netplan/50-cloud-init.yaml'),
    cloudSettings: at('etc/cloud/cloud.cfg.d/99-relay-setup.cfg'),
    resolver: at('etc/systemd/resolved.conf.d/60-relay.conf'),
    timeSources: at('etc/chrony/sources.d/relay.sources'),
    exporter: at('etc/default/prometheus-node-exporter'),
    authorizedKeys: at('home/ops/.ssh/authorized_keys'),
    credentialsDropIn: at('etc/systemd/system/relay.service.d/credentials.conf'),
    machineNetwork: at('etc/relay/network.yaml'),
    trust: at('etc/relay/trust'),
    firewall: at('etc/nftables.conf'),
    networkd: at('etc/systemd/network'),
    issue: at('etc/issue.d/relay.issue'),
    console: at('dev/console'),
    userData: at('var/lib/cloud/instance/user-data.txt'),
    cloud: at('var/lib/cloud'),
    users: at('etc/passwd'),
    groups: at('etc/group'),
  };
}
