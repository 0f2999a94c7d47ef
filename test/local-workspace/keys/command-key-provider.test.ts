import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { createCommandKeyProvider } from '../../../src/local-workspace/keys/command-key-provider.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BANK } from './workspaces.ts';

const FOR_BANK = { workspaceId: BANK };
const PLAIN = Buffer.alloc(32, 7);

function shell(script: string, clock = systemClock): ReturnType<typeof createCommandKeyProvider> {
  return createCommandKeyProvider(['/bin/sh', '-c', script], clock);
}

test('a program is told the operation, the workspace and a key of one use, and never the data key', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'requests');
  const provider = shell(`tee -a ${file} | sed 's/.*"data":"\\([^"]*\\)".*/{"keyId":"k","data":"\\1"}/'`);
  const wrapped = await provider.wrap(PLAIN, FOR_BANK);
  assert.ok(wrapped.outcome === 'wrapped', JSON.stringify(wrapped));
  assert.deepEqual(await provider.unwrap(wrapped, FOR_BANK), { outcome: 'unwrapped', plain: PLAIN });
  const requests = (await readFile(file, 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as Record<string, string>); // biome-ignore format: one line
  const data = requests[0]?.['data'];
  assert.deepEqual(requests, [
    { operation: 'wrap', data, workspace: BANK },
    { operation: 'unwrap', keyId: 'k', data, workspace: BANK },
  ]);
  assert.equal(Buffer.from(data ?? '', 'base64').length, 32);
  assert.notEqual(data, PLAIN.toString('base64'));
});

test('what a program does wrong is said in words, and nothing that it was given is shown', async () => {
  for (const [what, script, isTransient, reason] of [
    ['an error', 'echo first >&2; echo "access was revoked" >&2; exit 4', false, /^the program \/bin\/sh ended with 4 \(key-id\): access was revoked$/],
    ['an error without a word', 'exit 1', false, /ended with 1 \(key-id\): it did not say why$/],
    ['ask again', 'echo "the line is down" >&2; exit 75', true, /ended with 75 \(key-id\): the line is down$/],
    ['nothing', 'true', false, /wrote no reply to key-id as keys\/README\.md has it$/],
    ['no JSON', 'echo odd', false, /wrote no reply/],
    ['no object', 'echo "[1]"', false, /wrote no reply/],
    ['no id', "echo '{}'", false, /wrote no reply/],
    ['an id with a space', `echo '{"keyId":"a b"}'`, false, /wrote no reply/],
    ['an id without end', `printf '{"keyId":"'; head -c 129 /dev/zero | tr '\\0' x; echo '"}'`, false, /wrote no reply/],
  ] as const) {
    const answer = await shell(script).currentKeyId(FOR_BANK);
    assert.ok(answer.outcome === 'unavailable', what);
    assert.equal(answer.isTransient, isTransient, what);
    assert.match(answer.reason, reason, what);
  }
});

test('a program that shows what it was given does not bring it into our words', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'request');
  const answer = await shell(`tee ${file} >&2; exit 1`).wrap(PLAIN, FOR_BANK);
  assert.ok(answer.outcome === 'unavailable');
  const { data } = JSON.parse(await readFile(file, 'utf8')) as { data: string };
  assert.ok(!answer.reason.includes(data), answer.reason);
  assert.match(answer.reason, /\[secret\]/);
});

test('a wrapped key that cannot be one is refused', async () => {
  for (const [script, reason] of [
    [`echo '{"keyId":"k","data":""}'`, /wrote no reply to wrap/],
    [`echo '{"keyId":"k","data":"?"}'`, /wrote no reply to wrap/],
    [`printf '{"keyId":"k","data":"'; head -c 9000 /dev/zero | base64 -w0; echo '"}'`, /^a wrapped key has 1 to 8192 bytes, found 9000$/],
  ] as const) {
    const answer = await shell(script).wrap(PLAIN, FOR_BANK);
    assert.ok(answer.outcome === 'unavailable');
    assert.match(answer.reason, reason);
  }
});

test('a program that gives back other bytes than it was given is found out', async () => {
  await using folder = await temporaryFolder();
  const script = join(folder.path, 'key.sh');
  await writeFile(
    script,
    `case "$(cat)" in *'"wrap"'*) echo '{"keyId":"k","data":"AAAA"}';; *) echo '{"data":"${Buffer.alloc(32).toString('base64')}"}';; esac`,
  );
  const provider = createCommandKeyProvider(['/bin/sh', script], systemClock);
  const wrapped = await provider.wrap(PLAIN, FOR_BANK);
  assert.ok(wrapped.outcome === 'wrapped');
  assert.deepEqual(await provider.unwrap(wrapped, FOR_BANK), { outcome: 'damaged' });
});

test('a program that takes too long may pass', async () => {
  const clock = createManualClock();
  const answering = shell('exec sleep 600', clock).currentKeyId(FOR_BANK);
  await eventually('it runs', () => clock.waits().length === 1);
  clock.advance(10_000);
  const reason = 'the program /bin/sh did not end within 10 s (key-id)';
  assert.deepEqual(await answering, { outcome: 'unavailable', isTransient: true, reason });
});
