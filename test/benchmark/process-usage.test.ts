import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuSecondsIn, peakBytesIn } from './process-usage.ts';

test('CPU seconds are those of the process in both modes, and of its children that have ended', () => {
  const stat = '4242 (redis-server) S 1 4242 4242 0 -1 4194560 900 0 0 0 150 50 20 5 20 0 5 0 123456 70000000 3000 0 0';
  assert.equal(cpuSecondsIn(stat), 2.25);
});

test("a command's name with blanks and parentheses does not move the fields", () => {
  const stat = '4242 (a (strange) name) R 1 4242 4242 0 -1 4194560 900 0 0 0 7 3 0 0 20 0 5 0 123456 70000000 3000 0 0';
  assert.equal(cpuSecondsIn(stat), 0.1);
});

test('peak memory is the high-water mark, in bytes', () => {
  assert.equal(peakBytesIn('Name:\tnode\nVmHWM:\t  131072 kB\nVmRSS:\t    4096 kB\n'), 134_217_728);
  assert.equal(peakBytesIn('Name:\tkthread\n'), 0);
});
