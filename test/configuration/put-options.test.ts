import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { putOptions } from '../../src/configuration/put-options.ts';

const TEXT = `# site
data: /srv # here
audit: { keyFile: /a/key }
workspaces:
  - id: one # the first
    sharedKeyFile: old
`;

describe('putOptions', () => {
  it('changes, adds and takes out, and leaves everything else with its comments', () => {
    const changes = [
      { at: ['workspaces', 0, 'sharedKeyFile'], value: 'new' },
      { at: ['metrics', 'passwordFile'], value: '/m' },
      { at: ['audit', 'keyFile'], value: undefined },
    ];
    assert.equal(
      putOptions(TEXT, changes),
      '# site\ndata: /srv # here\naudit: {}\nworkspaces:\n  - id: one # the first\n    sharedKeyFile: new\nmetrics:\n  passwordFile: /m\n',
    );
  });

  it('takes nothing out that is not there, and changes no byte when there is nothing to change', () => {
    assert.equal(putOptions('data: x\n', [{ at: ['audit', 'keyFile'], value: undefined }]), 'data: x\n');
    assert.equal(putOptions('{ "data":   1 }', []), '{ "data":   1 }');
  });

  it('refuses what is no mapping', () => {
    for (const text of ['', '- a', 'a: [']) assert.throws(() => putOptions(text, [{ at: ['data'], value: 'x' }]), { code: 'relay.configuration.invalid' });
  });
});
