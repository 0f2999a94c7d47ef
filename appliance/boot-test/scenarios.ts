import type { Scenario } from './scenario.ts';
import { bios } from './scenarios/bios.ts';
import { secureBoot } from './scenarios/secure-boot.ts';
import { upgrade } from './scenarios/upgrade.ts';

/** All of them, in the order in which they run. */
export const scenarios: readonly Scenario[] = [bios, secureBoot, upgrade];
