import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startSite } from '../support/site.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function get(port: number, path: string, root: string, authorization?: string): Promise<Answer> {
  const headers = authorization === undefined ? {} : { authorization };
  const outgoing = request({ host: '127.0.0.1', port, path, ca: root, agent: false, headers });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

function figureIn({ text }: Answer, name: string): number {
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1),
  );
}

test('a relay shows its figures over TLS to who has the token, and its log is short however many it refuses', async (t) => {
  const prepare = (folder: string): Promise<void> => writeFile(join(folder, 'scrape.token'), 'a-long-token\n', { mode: 0o600 });
  await using site = await startSite({ sections: { metrics: { port: 0, tls: true, tokenFile: 'scrape.token' } }, prepare });
  const root = await readFile(site.relay.rootFile, 'utf8');
  const { metricsPort, intakePort } = await site.relay.status();
  const scrape = (): Promise<Answer> => get(metricsPort, '/metrics', root, 'Bearer a-long-token');

  await t.test('metrics want the token, health wants none', async () => {
    assert.equal((await get(metricsPort, '/metrics', root)).status, 401);
    assert.equal((await get(metricsPort, '/health/ready', root)).status, 200);
    assert.equal((await scrape()).status, 200);
  });

  await t.test('the lines of the log are counted, those from the start too', async () => {
    const found = await scrape();
    assert.ok(figureIn(found, 'relay_log_lines_total{level="info"}') > 0);
    assert.equal(figureIn(found, 'relay_log_lines_total{level="error"}'), 0);
  });

  await t.test('two hundred refusals are counted, and are five lines and a number', async () => {
    const before = figureIn(await scrape(), 'relay_log_lines_total{level="info"}');
    for (let count = 0; count < 200; count += 1) assert.equal((await get(intakePort, `/nowhere/${count}`, root)).status, 404);
    await eventually('all are counted', async () => figureIn(await scrape(), 'relay_intake_requests_total{service="other",code="404"}') === 200);
    assert.ok(figureIn(await scrape(), 'relay_log_lines_total{level="info"}') >= before + 200);
    await site.relay.end('SIGTERM');
    const lines = site.relay
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const refusals = lines.filter(({ code }) => code === 'relay.intake.unknown-path');
    const sum = refusals.reduce((total, { repeated }) => total + (typeof repeated === 'number' ? repeated : 1), 0);
    assert.equal(sum, 200);
    assert.ok(refusals.length <= 20, `${refusals.length} lines`);
    assert.ok(
      lines.every(({ component }) => typeof component === 'string'),
      'each line says which part wrote it',
    );
  });

  assert.ok(!site.relay.log().includes('a-long-token'));
});
