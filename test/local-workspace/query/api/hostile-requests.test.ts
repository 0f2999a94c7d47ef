import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutated } from '../../../support/mutations.ts';
import { seeded } from '../../../support/seeded.ts';
import { BANK, PLANT, startQueryApi } from './query-api-rig.ts';

const GOOD: readonly unknown[] = [
  { query: 'Heartbeat | where Computer == "web01" | count', timespan: 'PT1H', workspaces: [BANK] },
  { query: 'Heartbeat', timespan: '2026-11-28T00:00:00Z/2026-11-29T00:00:00Z' },
  { query: 'union *', workspaces: [PLANT, 'name'] },
];
const VALUES: readonly unknown[] = [null, true, -1, 1e308, '', ' ', 'PT1H', '\u0000', '\ud800', [], {}, [[]], ['x'], { toString: 1 }, 'x'.repeat(600)];
const KEYS = ['query', 'timespan', 'workspaces', '__proto__', 'constructor', 'Query', ''];

test('ten thousand broken bodies are each answered, a refusal with its code and a sentence, and the service never fails', async (t) => {
  const { post, clock } = await startQueryApi(t);
  const random = seeded(20_261_129);
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const odd = (): unknown => Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, () => [one(KEYS), one(VALUES)]));
  const kinds = [
    () => mutated(Buffer.from(JSON.stringify(one(GOOD))), random),
    () => JSON.stringify(one([odd(), one(VALUES), { ...(one(GOOD) as object), ...(odd() as object) }])),
    () => '['.repeat(Math.floor(random() * 50_000)),
  ];
  const seen = new Map<number, number>();
  for (let round = 0; round < 10_000; round += 1) {
    const body = kinds[random() < 0.01 ? 2 : Math.floor(random() * 2)]?.() ?? '';
    // So that the limit of requests is not met.
    clock.advance(1_000);
    const { statusCode, payload } = await post(body);
    seen.set(statusCode, (seen.get(statusCode) ?? 0) + 1);
    if (statusCode === 200) continue;
    const { error } = JSON.parse(payload) as { error: { code: string; message: string; innererror: { message: string } } };
    assert.equal(statusCode, 400, `${body}`);
    assert.equal(error.code, 'BadArgumentError');
    assert.match(error.innererror.message, /^.{10,}\.$|^query is empty\. .+$/s, `${body}`);
  }
  assert.deepEqual([...seen.keys()].sort(), [200, 400]);
  assert.ok((seen.get(400) ?? 0) > 5_000);
});

test('odd query strings and headers are answered too', async (t) => {
  const { server, clock } = await startQueryApi(t);
  const random = seeded(7);
  for (let round = 0; round < 2_000; round += 1) {
    clock.advance(1_000);
    const search = mutated(Buffer.from('query=Heartbeat&timespan=PT1H&workspaces='), random).toString('latin1');
    const url = `/v1/workspaces/${BANK}/query?${[...search].map((letter) => (/[\w=&]/.test(letter) ? letter : encodeURIComponent(letter))).join('')}`;
    const prefer = mutated(Buffer.from('wait=60, include-statistics=true'), random)
      .toString('latin1')
      .replaceAll(/[^\x20-\x7e]/g, '');
    const { statusCode } = await server.inject({ method: 'GET', url, headers: { prefer } });
    assert.ok(statusCode === 200 || statusCode === 400, url);
  }
});
