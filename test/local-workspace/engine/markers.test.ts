import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openSegmentFiles } from '../../../src/local-workspace/tables/segment-files.ts';
import { seeded } from '../../support/seeded.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BANK, called, custom, type Fields, filesBelow, textVector, uploaded } from '../tables/store-rig.ts';
import { openStore, type Store } from './engine-rig.ts';

const WORDS = 1_000;

function markers(): string[] {
  const random = seeded(1_984);
  return Array.from({ length: WORDS }, (_, at) => `marker${at}x${Math.floor(random() * 2 ** 32).toString(36)}`);
}

/** The word in one kind of field or another. */
function records(word: string): Fields[] {
  return [{ text: word }, { text: `before ${word} after`, n: 1 }, { deep: { list: [{ [word]: 1 }, word] } }, { [word]: 'its name' }, { Computer: word }];
}

async function stageAll(store: Store, words: readonly string[]): Promise<void> {
  const columns = [
    { name: 'text', type: 'string' },
    { name: 'deep', type: 'dynamic' },
  ] as const;
  for (const [at, word] of words.entries()) {
    const plain = custom('Door', records(word));
    const kinds = [
      uploaded('Inventory', records(word)),
      uploaded('LINUX_SYSLOGS_BLOB', [{ Message: word, Host: word }]),
      called('Gate_CL', columns, records(word)),
    ];
    const gzipped = { head: { ...plain.head, encoding: 'gzip' as const }, body: gzipSync(plain.body) };
    void store.staging.append([plain, gzipped, ...kinds][at % 5] as (typeof kinds)[number]);
  }
  await store.staging.append(custom('Last', [{ n: 1 }]));
}

/** The words that stand in a file in the clear, and where. */
async function found(folder: string, words: readonly string[]): Promise<string[]> {
  const files = await filesBelow(folder);
  const hits = files.flatMap(({ path, bytes }) => {
    // One look for what all of them begin with is enough, as long as it finds nothing.
    const encodings = ['utf8', 'utf16le'] as const;
    if (!encodings.some((encoding) => bytes.includes(Buffer.from('marker', encoding)))) return [];
    return words.filter((word) => encodings.some((encoding) => bytes.includes(Buffer.from(word, encoding)))).map((word) => `${word} in ${path}`);
  });
  return hits;
}

test('of a thousand words in all kinds of fields none stands in any file in the clear, at any time', async () => {
  await using folder = await temporaryFolder();
  const words = markers();
  await using store = await openStore(folder.path);
  await stageAll(store, words);
  assert.deepEqual(await found(folder.path, words), [], 'staged');
  await store.settle();
  assert.deepEqual(await found(folder.path, words), [], 'in the tables');
  for (let round = 0; round < 10; round += 1) {
    await store.stage(custom('Door', [{ text: words[round] }]));
    await store.settle();
  }
  const throughSeq = store.staging.lastSeq();
  const order = { operationId: 'p', table: 'Door_CL', filters: [{ column: 'text_s', operator: '==', value: words[0] as string }], throughSeq } as const;
  let removed = 0;
  for (let step = await store.ask('purgeStep', order); step; step = await store.ask('purgeStep', order)) removed += step.removedRows;
  assert.equal(removed, 2);
  assert.deepEqual(await found(folder.path, words), [], 'put together, and purged');
  // All of them are there.
  const rows = await Promise.all(['Door_CL', 'Inventory', 'Syslog', 'Gate_CL'].map((table) => store.rows(table)));
  const text = JSON.stringify(rows);
  assert.deepEqual(
    words.filter((word) => !text.includes(word)),
    [],
  );
});

test('words that are not sealed would be found', async () => {
  await using folder = await temporaryFolder();
  const words = markers();
  const open = { seal: (_: string, plain: Uint8Array) => Buffer.from(plain), open: (_: string, plain: Uint8Array) => Buffer.from(plain) };
  const files = openSegmentFiles({ workspaceId: BANK, folders: { main: join(folder.path, 'segments') }, sealerOf: () => open });
  files.write({ table: 'T', day: 1, rows: WORDS, columns: [{ column: { name: words[7] as string, type: 'string' }, vector: textVector(words) }] });
  const hits = await found(folder.path, words);
  assert.ok(
    hits.some((hit) => hit.startsWith(words[7] as string)),
    hits.join('\n'),
  );
});
