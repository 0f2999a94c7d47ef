import type { Fault } from './fault.ts';
import { diskFaults } from './suite/disk.ts';
import { kills } from './suite/kills.ts';
import { lifeFaults } from './suite/life.ts';
import { loadFaults } from './suite/load.ts';
import { lossPowerCuts } from './suite/loss-power-cut.ts';
import { powerCuts } from './suite/power-cut.ts';
import { redisFaults } from './suite/redis.ts';
import { relayPowerCuts } from './suite/relay-power-cut.ts';
import { segmentDamage } from './suite/segment-damage.ts';
import { soakFaults } from './suite/soak.ts';
import { upstreamFaults } from './suite/upstream.ts';

/** All of them, in the order in which they are run. */
export const FAULTS: readonly Fault[] = [
  ...powerCuts,
  ...relayPowerCuts,
  ...lossPowerCuts,
  ...kills,
  ...redisFaults,
  ...segmentDamage,
  ...diskFaults,
  ...upstreamFaults,
  ...loadFaults,
  ...lifeFaults,
  ...soakFaults,
];
