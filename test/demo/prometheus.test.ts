import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startProgram } from '../../src/demo/program.ts';
import { startPrometheus } from '../../src/demo/prometheus.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const EVERY = { scrapeEveryMs: 100, evaluateEveryMs: 100 };

describe('startPrometheus', () => {
  it('scrapes its targets under the names given, and answers queries', async () => {
    await using folder = await temporaryFolder();
    await using site = await startSite();
    await using prometheus = disposable(
      await startPrometheus({ folder: folder.path, ...EVERY, jobs: [{ name: 'relay', targets: [{ address: site.address, instance: 'here' }] }] }),
    );
    const [target] = await eventually('the target is up', async () => {
      const targets = await prometheus.targets();
      return targets.some(({ health }) => health === 'up') && targets;
    });
    assert.equal(target?.job, 'relay');
    assert.equal(target?.instance, 'here');
    assert.equal(target?.lastError, '');
    const [sample] = await eventually('a value', async () => notEmpty(await prometheus.query('cats{colour="black"}')));
    assert.deepEqual(sample?.labels, { __name__: 'cats', colour: 'black', instance: 'here', job: 'relay' });
    assert.equal(sample?.value, 3);
    assert.deepEqual(
      (await prometheus.query('1 / 0')).map(({ value }) => value),
      [Number.POSITIVE_INFINITY],
    );
    const now = new Date();
    const [series] = await prometheus.queryRange('sum(cats)', new Date(now.getTime() - 1_000), now, 1);
    assert.equal(series?.points.at(-1)?.[1], 3);
  });

  it('shows a target that wants to know who asks what is in the files', async () => {
    await using folder = await temporaryFolder();
    const seen = new Set<string | undefined>();
    await using site = await startSite((request, response) => {
      seen.add(request.headers.authorization);
      response.end('');
    });
    const secret = join(folder.path, 'secret');
    await writeFile(secret, 'opensesame');
    const targets = [{ address: site.address }];
    const jobs = [
      { name: 'bearer', targets, credentials: { bearerTokenFile: secret } },
      { name: 'basic', targets, credentials: { userName: 'ali', passwordFile: secret } },
    ];
    await using _prometheus = disposable(await startPrometheus({ folder: join(folder.path, 'prometheus'), ...EVERY, jobs }));
    const wanted = ['Bearer opensesame', `Basic ${Buffer.from('ali:opensesame').toString('base64')}`];
    await eventually('both were seen', () => wanted.every((value) => seen.has(value)));
  });

  it('evaluates rules and says which alerts are pending or fire', async () => {
    await using folder = await temporaryFolder();
    await using site = await startSite();
    const rules = join(folder.path, 'rules.yml');
    const alert = { alert: 'Cats', expr: 'cats > 2', labels: { severity: 'page' }, annotations: { summary: '{{ $value }} cats' } };
    const waiting = { alert: 'CatsForLong', expr: 'cats > 2', for: '1h' };
    await writeFile(rules, JSON.stringify({ groups: [{ name: 'pets', rules: [alert, waiting] }] }));
    const options = { folder: join(folder.path, 'prometheus'), ...EVERY, jobs: [{ name: 'relay', targets: [{ address: site.address }] }], ruleFiles: [rules] };
    await using prometheus = disposable(await startPrometheus(options));
    const alerts = await eventually('two alerts', async () => {
      const found = await prometheus.alerts();
      return found.some(({ state }) => state === 'firing') && found.length === 2 && found;
    });
    const [firing] = alerts.filter(({ name }) => name === 'Cats');
    assert.equal(firing?.value, 3);
    assert.equal(firing?.labels['severity'], 'page');
    assert.equal(firing?.annotations['summary'], '3 cats');
    assert.equal(alerts.find(({ name }) => name === 'CatsForLong')?.state, 'pending');
    assert.deepEqual(
      (await prometheus.rules()).map(({ group, name, type, health }) => ({ group, name, type, health })),
      ['Cats', 'CatsForLong'].map((name) => ({ group: 'pets', name, type: 'alerting', health: 'ok' })),
    );
  });

  it('says with which words Prometheus refused a query', async () => {
    await using folder = await temporaryFolder();
    await using prometheus = disposable(await startPrometheus({ folder: folder.path, ...EVERY, jobs: [] }));
    await assert.rejects(prometheus.query('sum('), { code: 'relay.prometheus.refused', message: /400: .*parse error.*The expression was: sum\(/ });
  });

  it('fails with the last words of a Prometheus that does not start', async () => {
    await using folder = await temporaryFolder();
    const rules = join(folder.path, 'rules.yml');
    await writeFile(rules, 'groups: [{ name: wrong, rules: [{ alert: A, expr: "sum(" }] }]');
    await assert.rejects(startPrometheus({ folder: folder.path, ...EVERY, jobs: [], ruleFiles: [rules] }), {
      code: 'relay.program.unreachable',
      message: /parse error/,
    });
  });

  it('fails on a port that was given and is taken', async () => {
    await using folder = await temporaryFolder();
    await using site = await startSite();
    const port = Number(site.address.split(':')[1]);
    await assert.rejects(startPrometheus({ folder: folder.path, ...EVERY, jobs: [], port }), {
      code: 'relay.program.port-taken',
      message: /another program does/,
    });
  });

  it('is gone after stop, and starts again with what it had', async () => {
    await using folder = await temporaryFolder();
    const first = await startPrometheus({ folder: folder.path, ...EVERY, jobs: [] });
    await first.stop();
    await first.stop();
    assert.throws(() => process.kill(first.pid, 0), { code: 'ESRCH' });
    await (await startPrometheus({ folder: folder.path, ...EVERY, jobs: [] })).stop();
  });
});

describe('startProgram', () => {
  it('names the package of a program that is not installed', async () => {
    const options = {
      command: 'relay-no-such-program',
      argsFor: () => [],
      readyPath: '/',
      missingCode: 'relay.prometheus.missing',
      aptPackage: 'prometheus',
    } as const;
    await assert.rejects(startProgram(options), { code: 'relay.prometheus.missing', message: /relay-no-such-program.*apt-get install prometheus$/ });
  });

  it('takes another port when the first was taken meanwhile', async () => {
    const ports: number[] = [];
    await using site = await startSite();
    const taken = Number(site.address.split(':')[1]);
    const argsFor = (port: number): readonly string[] => {
      ports.push(port);
      return [`--web.listen-address=127.0.0.1:${ports.length === 1 ? taken : port}`];
    };
    const options = { command: 'prometheus-node-exporter', argsFor, readyPath: '/', missingCode: 'relay.exporter.missing', aptPackage: 'x' } as const;
    await using program = disposable(await startProgram(options));
    assert.equal(ports.length, 2);
    assert.equal(program.port, ports[1]);
  });
});

async function startSite(
  listener: RequestListener = (_, response) => response.end('cats{colour="black"} 3\n'),
): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function disposable<T extends { stop(): Promise<void> }>(program: T): T & AsyncDisposable {
  return { ...program, [Symbol.asyncDispose]: () => program.stop() };
}

function notEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length > 0 ? items : undefined;
}
