import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemPrograms } from '../../src/host/run-program.ts';

describe('systemPrograms', () => {
  it('gives what a program wrote and how it ended, and never throws', async () => {
    assert.deepEqual(await systemPrograms.run('sh', ['-c', 'echo out; echo err >&2; exit 3']), { code: 3, out: 'out\n', err: 'err\n' });
    assert.equal((await systemPrograms.run('no-such-program', [])).code, 127);
  });

  it('hands secrets over by standard input', async () => {
    assert.equal((await systemPrograms.run('cat', [], { input: 'a secret' })).out, 'a secret');
    // One that does not read what it is given is no surprise.
    assert.equal((await systemPrograms.run('true', [], { input: Buffer.alloc(1024 * 1024) })).code, 0);
  });

  it('kills a program that nobody waits for any more', async () => {
    const nobody = new AbortController();
    const running = systemPrograms.run('sleep', ['600'], { signal: nobody.signal });
    nobody.abort();
    assert.equal((await running).code, 137);
    assert.equal((await systemPrograms.run('sleep', ['600'], { signal: AbortSignal.abort() })).code, 137);
  });

  it('kills a program that is too slow', async () => {
    assert.equal((await systemPrograms.run('sleep', ['600'], { timeoutMs: 50 })).code, 137);
  });
});
