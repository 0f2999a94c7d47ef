import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitedProvider } from '../../../src/local-workspace/keys/limited-provider.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createFakeProvider } from './fake-provider.ts';
import { BANK } from './workspaces.ts';

const FOR_BANK = { workspaceId: BANK };

test('an answer comes through, and leaves no timer', async () => {
  const clock = createManualClock();
  const { provider } = createFakeProvider('file');
  const answer = await limitedProvider(provider, clock, new AbortController().signal).currentKeyId(FOR_BANK);
  assert.deepEqual(answer, { outcome: 'known', keyId: '1' });
  assert.deepEqual(clock.waits(), []);
});

test('a provider that hangs is one whose key cannot be had for now, after 30 seconds', async () => {
  const clock = createManualClock();
  const fake = createFakeProvider('file');
  fake.hang();
  const answering = limitedProvider(fake.provider, clock, new AbortController().signal).currentKeyId(FOR_BANK);
  clock.advance(30_000);
  assert.deepEqual(await answering, { outcome: 'unavailable', isTransient: true, reason: 'the fake file did not answer within 30 s' });
});

test('a provider that throws is one whose key cannot be had', async () => {
  const fake = createFakeProvider('file');
  fake.fail(new Error('it broke'));
  const limited = limitedProvider(fake.provider, createManualClock(), new AbortController().signal);
  for (const answer of [
    await limited.currentKeyId(FOR_BANK),
    await limited.wrap(Buffer.alloc(32), FOR_BANK),
    await limited.unwrap({ keyId: '1', wrapped: Buffer.alloc(1) }, FOR_BANK),
  ]) {
    assert.deepEqual(answer, { outcome: 'unavailable', isTransient: false, reason: 'it broke' });
  }
});

test('a stop does not wait for a provider that hangs, before or after it was asked', async () => {
  const fake = createFakeProvider('file');
  fake.hang();
  const stopping = new AbortController();
  const limited = limitedProvider(fake.provider, createManualClock(), stopping.signal);
  const before = limited.currentKeyId(FOR_BANK);
  stopping.abort();
  for (const answer of [await before, await limited.currentKeyId(FOR_BANK)]) {
    assert.deepEqual(answer, { outcome: 'unavailable', isTransient: true, reason: 'the service is stopping' });
  }
});
