import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { incidentsSettings } from '../../src/incidents/settings.ts';

const HOOK = { url: 'https://hooks.example.org/a/b?c=d', secretFile: '/etc/relay/hook.secret' };
const MAIL = { host: 'mail.example.org', from: 'relay@example.org', to: ['ops@example.org'] };

test('without settings incidents are recorded and nobody is told', () => {
  const { webhook, mail, ...rest } = incidentsSettings.parse(undefined);
  assert.deepEqual(rest, {
    notifyFrom: 'warn',
    remindAfter: 4 * 3_600_000,
    keep: 730 * 86_400_000,
    thresholds: { certificatesRefused: 20, badTokens: 20, within: 600_000 },
  });
  assert.deepEqual([webhook.url, mail.host, mail.tls, mail.to], [undefined, undefined, 'starttls', []]);
});

describe('settings', () => {
  const good: readonly object[] = [{ webhook: HOOK }, { mail: MAIL }, { mail: { ...MAIL, user: 'u', passwordFile: '/p', tls: 'implicit', port: 465 } }];
  for (const settings of good) test(`take ${JSON.stringify(settings)}`, () => assert.ok(incidentsSettings.safeParse(settings).success));

  const bad: readonly (readonly [what: string, settings: object, path: string])[] = [
    ['a webhook in the clear', { webhook: { ...HOOK, url: 'http://hooks.example.org/' } }, 'webhook.url'],
    ['a password in the address', { webhook: { ...HOOK, url: 'https://u:p@hooks.example.org/' } }, 'webhook.url'],
    ['a webhook without a secret', { webhook: { url: HOOK.url } }, 'webhook.secretFile'],
    ['a secret without a webhook', { webhook: { secretFile: '/s' } }, 'webhook.secretFile'],
    ['mail without a sender', { mail: { ...MAIL, from: undefined } }, 'mail.host'],
    ['mail to nobody', { mail: { ...MAIL, to: [] } }, 'mail.host'],
    ['mail to too many', { mail: { ...MAIL, to: Array.from({ length: 51 }, (_, at) => `a${at}@example.org`) } }, 'mail.host'],
    ['mail without TLS', { mail: { ...MAIL, tls: 'none' } }, 'mail.tls'],
    ['a user without a password', { mail: { ...MAIL, user: 'u' } }, 'mail.passwordFile'],
    ['an address with a line break', { mail: { ...MAIL, from: 'relay@example.org\r\nBcc: x@example.org' } }, 'mail.from'],
    ['an address with a second one', { mail: { ...MAIL, to: ['a@example.org, b@example.org'] } }, 'mail.to.0'],
    ['a name that is not known', { sms: {} }, ''],
  ];
  for (const [what, settings, path] of bad) {
    test(`refuse ${what}, and name the place`, () => {
      const found = incidentsSettings.safeParse(settings);
      assert.ok(!found.success);
      assert.ok(
        found.error.issues.some((issue) => issue.path.join('.') === path),
        JSON.stringify(found.error.issues),
      );
    });
  }
});
