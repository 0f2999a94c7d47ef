import type { SenderConfiguration } from './facts.ts';

/** Without a disk queue rsyslog loses what it cannot send; it frames by octet counting only when told. */
export const rsyslog: SenderConfiguration = {
  kind: 'rsyslog',
  about: 'rsyslog, omfwd over TLS (RFC 5425) with a client certificate: /etc/rsyslog.d/relay.conf; needs the package rsyslog-gnutls',
  showsSecret: false,
  write: (
    { name, domain, syslogPort },
    roots,
  ) => `# The relay's roots must be in ${roots}, and the sender's certificate and key beside them: relay senders certificate ${name} --out <folder>
global(
  defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${roots}"
  defaultNetstreamDriverCertFile="/etc/relay-sender/${name}.pem"
  defaultNetstreamDriverKeyFile="/etc/relay-sender/${name}.key"
  workDirectory="/var/spool/rsyslog"
)
action(
  type="omfwd"
  target="${domain}"
  port="${syslogPort ?? 6514}"
  protocol="tcp"
  TCP_Framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format"
  StreamDriver="gtls"
  StreamDriverMode="1"
  StreamDriverAuthMode="x509/name"
  StreamDriverPermittedPeers="${domain}"
  action.resumeRetryCount="-1"
  queue.type="LinkedList"
  queue.filename="relay"
  queue.maxDiskSpace="1g"
  queue.saveOnShutdown="on"
)
`,
};
