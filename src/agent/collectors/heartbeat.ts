import type { Clock } from '../../clock.ts';
import { AGENT_VERSION } from '../agent-version.ts';
import type { Collector } from '../collecting.ts';
import { type Host, ownAddresses } from '../host.ts';
import { HEALTH } from '../instructions.ts';
import { HEARTBEAT_TYPE } from '../queue-index.ts';

/** A sign of life, in the Linux agent's shape (§4). */
export interface HeartbeatRecord {
  readonly Timestamp: string;
  readonly Computer: string;
  readonly OSType: 'Linux';
  readonly OSName: string;
  readonly OSMajorVersion: string;
  readonly OSMinorVersion: string;
  readonly Category: 'Agent';
  readonly SCAgentChannel: 'Direct';
  /** JSON text of an array. */
  readonly ComputerPrivateIps: string;
  readonly Version: string;
}

/** Says every `everyMs` that this machine is alive. */
export function createHeartbeatCollector(host: Host, everyMs: number, clock: Clock): Collector {
  return {
    name: 'heartbeat',
    solution: HEALTH,
    everyMs,
    collect: (put) => put({ dataType: HEARTBEAT_TYPE, solution: 'LogManagement', records: [heartbeat(host, clock.now())] }),
  };
}

function heartbeat(host: Host, nowMs: number): HeartbeatRecord {
  return {
    Timestamp: new Date(nowMs).toISOString(),
    Computer: host.name,
    OSType: 'Linux',
    OSName: host.osName,
    OSMajorVersion: host.osMajorVersion,
    OSMinorVersion: host.osMinorVersion,
    Category: 'Agent',
    SCAgentChannel: 'Direct',
    ComputerPrivateIps: JSON.stringify(ownAddresses()),
    Version: AGENT_VERSION,
  };
}
