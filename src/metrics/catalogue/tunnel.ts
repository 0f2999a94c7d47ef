/** What goes through the relay's CONNECT gateway. */
export const TUNNEL = {
  tunnelConnections: {
    type: 'counter',
    name: 'relay_tunnel_connections_total',
    unit: 'connections',
    labels: ['outcome'],
    help: 'Connections to the tunnel, by outcome: opened, or the reason of the refusal.',
  },
  tunnelsOpen: { type: 'gauge', name: 'relay_tunnel_open', unit: 'connections', labels: [], help: 'Tunnels that stand at this moment.' },
  tunnelsClosed: {
    type: 'counter',
    name: 'relay_tunnel_closed_total',
    unit: 'connections',
    labels: ['reason'],
    help: 'Tunnels that ended: finished, broken, idle, too-long, client (it may no longer use the tunnel), stopped.',
  },
  tunnelBytes: {
    type: 'counter',
    name: 'relay_tunnel_bytes_total',
    unit: 'bytes',
    labels: ['direction'],
    help: 'Bytes through tunnels, up (to the host) and down (from it).',
  },
} as const;
