import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { alertRules, startObservers } from '../../src/demo/observing.ts';
import { startSite } from '../../src/demo/site.ts';
import { silentLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('startObservers', () => {
  it("scrapes the site's relay, its Redis and the machine, and has the alert rules", async () => {
    await using folder = await temporaryFolder();
    await using started = new AsyncDisposableStack();
    const site = await startSite({
      folder: folder.path,
      agents: ['web01'],
      retryEveryMs: 500,
      retryWindowMs: 5_000,
      collectEveryMs: 500,
      version: '0.0.0',
      log: silentLogger,
    });
    started.defer(() => site.stop());
    const observers = await startObservers(site, join(folder.path, 'prometheus'));
    started.defer(() => observers.stop());
    const { prometheus } = observers;

    await eventually('all three are up', async () => (await prometheus.query('up == 1')).length === 3);
    assert.deepEqual((await prometheus.targets()).map(({ job, instance }) => `${job} ${instance}`).sort(), ['node demo', 'redis demo', 'relay demo']);
    const [received] = await eventually('data was received', async () => {
      const samples = await prometheus.query('sum(relay_received_batches_total) > 0');
      return samples.length > 0 && samples;
    });
    assert.ok((received?.value ?? 0) > 0);
    assert.deepEqual(
      (await prometheus.rules()).filter(({ health }) => health === 'err'),
      [],
    );
  });
});

describe('alertRules', () => {
  it('gives the rule files of a folder, and none without it', async () => {
    await using folder = await temporaryFolder();
    await Promise.all(['b.yml', 'a.yaml', 'README.md'].map((name) => writeFile(join(folder.path, name), '')));
    assert.deepEqual(await alertRules(folder.path), [join(folder.path, 'a.yaml'), join(folder.path, 'b.yml')]);
    assert.deepEqual(await alertRules(join(folder.path, 'none')), []);
  });
});
