import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { relayStatus } from '../../src/upgrade/relay-status.ts';
import type { carryOutTrial as CarryOut } from '../../src/upgrade/trial.ts';
import { applianceAt, judgingRelease, LIFE, stepsFile } from './appliance.ts';

const REAL_MS = 25;
/** What a relay logs when it runs, and releases for tests when they are as they will be. */
const SETTLED = /the relay is running|is as it will be/;

/**
 * Carries a trial out as relay-trial.service does: with the code of the release that judges, where that has some, else with the checkout's. `onStep`
 * is called before each step, counted from 0.
 */
export async function judgeAt(root: string, onStep: (step: number) => void = () => {}): Promise<void> {
  const appliance = applianceAt(root);
  const own = join(await judgingRelease(root), 'app', 'src', 'upgrade', 'trial.ts');
  const { carryOutTrial } = (await import(existsSync(own) ? own : '../../src/upgrade/trial.ts')) as { readonly carryOutTrial: typeof CarryOut };
  let [step, elapsedMs, isWatching] = [0, 0, false];

  // A deadline must not depend on the machine's speed: while a release is watched, time goes on only once it has come as far as it will.
  const pace = {
    elapsed: () => elapsedMs,
    async pause(ms: number): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, REAL_MS));
      if (!isWatching || SETTLED.test((await appliance.log('relay')).split(LIFE).at(-1) ?? '')) elapsedMs += ms;
    },
  };

  await carryOutTrial({
    ...appliance,
    pace,
    status: relayStatus,
    now: Date.now,
    tell(text) {
      appendFileSync(stepsFile(root), `${text}\n`);
      isWatching = text.includes(', and watching it');
      onStep(step);
      step += 1;
    },
  });
}
