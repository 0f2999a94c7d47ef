/**
 * For `killed.test.ts`: stages, works off, compacts, trims, purges and empties the staging log in a loop, until it is killed. It writes a line for
 * what is done, and one before what takes rows away. Arguments: folder, seed, and before which of its calls that change files it kills itself.
 */
import { writeSync } from 'node:fs';
import { openStore } from './engine-rig.ts';
import { dieAtCall } from './killed-at-call.ts';
import { readPlan } from './killed-plan.ts';

const [folder = '', seed = '0', call = '0'] = process.argv.slice(2);
const tell = (...words: readonly (string | number)[]): number => writeSync(1, `${words.join(' ')}\n`);

dieAtCall(Number(call));
const store = await openStore(folder, 4_000);
const plan = readPlan(Number(seed));
for (;;) {
  const step = plan();
  if (step.what === 'stage') {
    // Some wait at the same moment, and share a sync.
    await Promise.all(
      step.entries.map(async ({ entry, numbers, kind }) => {
        const seq = await store.staging.append(entry);
        tell('staged', seq, kind, ...numbers);
        await store.ask('staged', { seq });
      }),
    );
  } else if (step.what === 'commit') {
    await store.staging.removeThrough(await store.settle());
  } else if (step.what === 'trim') {
    const seq = await store.settle();
    tell('trims', seq);
    await store.ask('trim', { retention: {}, otherwise: 0, now: step.now });
    tell('trimmed', seq);
  } else {
    const throughSeq = store.staging.lastSeq();
    tell('purges', throughSeq, step.kind);
    const order = {
      operationId: `${throughSeq} ${step.kind}`,
      table: 'Door_CL',
      filters: [{ column: 'kind_s', operator: '==', value: step.kind }],
      throughSeq,
    } as const;
    while (await store.ask('purgeStep', order)) tell('looked');
    tell('purged', throughSeq, step.kind);
  }
}
