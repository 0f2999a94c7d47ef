import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configurationSchema } from '../../../src/configuration/schema.ts';

const isRefused = (configuration: object): boolean =>
  (configurationSchema.safeParse(configuration).error?.issues ?? []).some(({ path }) => path.join('.') === 'senders.syslog.port');

describe('the port of syslog', () => {
  for (const [what, others] of [
    ['agents', { intake: { port: 6514 } }],
    ['metrics', { metrics: { port: 6514 } }],
    ['the tunnel', { tunnel: { enabled: true, port: 6514 } }],
  ] as const) {
    it(`is not that of ${what}`, () => {
      assert.equal(isRefused({ ...others, senders: { syslog: { enabled: true } } }), true);
      assert.equal(isRefused({ ...others, senders: { syslog: { enabled: true, port: 6515 } } }), false);
      assert.equal(isRefused({ ...others, senders: { syslog: { enabled: false } } }), false, 'nobody listens');
    });
  }

  it('may be that of a tunnel that is shut, of another address, or a free one', () => {
    assert.equal(isRefused({ tunnel: { enabled: false, port: 6514 }, senders: { syslog: { enabled: true } } }), false);
    const apart = { intake: { address: '10.0.0.5', port: 6514 }, senders: { syslog: { enabled: true, address: '10.0.0.6' } } };
    assert.equal(isRefused(apart), false);
    assert.equal(isRefused({ intake: { port: 0 }, senders: { syslog: { enabled: true, port: 0 } } }), false);
  });
});
