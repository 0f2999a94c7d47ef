import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysSettings } from '../../../src/local-workspace/keys/keys-settings.ts';

const TOKEN = { kind: 'pkcs11', module: '/usr/lib/token.so', tokenLabel: 'relay', keyLabel: 'bank', pinFile: '/etc/pin' };

test('settings that say nothing have the service keep the key, renewed every 90 days and looked at every 30 seconds', () => {
  assert.deepEqual(keysSettings.parse({}), { key: { kind: 'service' }, rotateEvery: 90, checkEvery: 30 });
});

test('settings of each kind are read', () => {
  for (const [given, read] of [
    [
      { kind: 'file', path: '/media/stick/keys' },
      { kind: 'file', path: '/media/stick/keys' },
    ],
    [
      { kind: 'command', command: ['/bin/key', '--of', 'bank'] },
      { kind: 'command', command: ['/bin/key', '--of', 'bank'] },
    ],
    [TOKEN, { ...TOKEN, oaepHash: 'sha1', environment: {} }],
    [
      { ...TOKEN, oaepHash: 'sha256', environment: { SOFTHSM2_CONF: '/etc/c' } },
      { ...TOKEN, oaepHash: 'sha256', environment: { SOFTHSM2_CONF: '/etc/c' } },
    ],
  ]) {
    assert.deepEqual(keysSettings.parse({ key: given }).key, read);
  }
});

test('settings that do not fit are refused', () => {
  for (const strange of [
    { key: { kind: 'odd' } },
    { key: { kind: 'service', path: '/x' } },
    { key: { kind: 'file' } },
    { key: { kind: 'file', path: 'relative' } },
    { key: { kind: 'file', path: '/a\nb' } },
    { key: { kind: 'command', command: [] } },
    { key: { kind: 'command', command: ['key'] } },
    { key: { kind: 'command', command: '/bin/key' } },
    { key: { kind: 'command', command: ['/bin/key', ...Array.from({ length: 64 }, () => 'x')] } },
    { key: { ...TOKEN, module: 'token.so' } },
    { key: { ...TOKEN, pin: '1234' } },
    { key: { ...TOKEN, oaepHash: 'md5' } },
    { key: { ...TOKEN, environment: { 'A=B': 'x' } } },
    { key: { ...TOKEN, environment: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`V${index}`, 'x'])) } },
    { rotateEvery: 0 },
    { rotateEvery: 1.5 },
    { checkEvery: 4 },
    { checkEvery: 61 },
    { more: 1 },
  ]) {
    assert.equal(keysSettings.safeParse(strange).success, false, JSON.stringify(strange));
  }
});
