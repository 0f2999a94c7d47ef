import { type Change, targetOf } from './retention-policy.ts';
import type { Setting } from './retention-rule.ts';
import { RETENTION_DAYS, type RetentionSettings } from './retention-settings.ts';

/**
 * What the settings say now and did not say at an earlier start. What somebody ordered meanwhile stays until the settings say something new. Pure.
 */
export function freshSettings({ plan, days = RETENTION_DAYS.usual }: RetentionSettings, changes: readonly Change[]): Setting[] {
  const wanted: Setting[] = [
    { target: 'plan', plan },
    { target: 'default', days },
  ];
  return wanted.filter((setting) => {
    const last = changes.findLast((change) => change.source === 'settings' && change.setting.target === setting.target);
    return last === undefined || !isSameSetting(last.setting, setting);
  });
}

/** Whether both set the same for the same. */
export function isSameSetting(one: Setting, other: Setting): boolean {
  return targetOf(one) === targetOf(other) && valueIn(one) === valueIn(other);
}

function valueIn(setting: Setting): string | number | undefined {
  return setting.target === 'plan' ? setting.plan : setting.days;
}
