import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { codeOfStatus, errorReplies, replyFor } from '../../src/intake/error-replies.ts';
import { errorTable } from '../../src/intake/reference.ts';

const FOLDERS = ['intake', 'enrolment'].map((name) => join(import.meta.dirname, '../../src', name));

describe('the table of errors', () => {
  it('has a row for every code that intake and enrolment throw', async () => {
    const known = new Set<string>(errorReplies().map(([code]) => code));
    for (const folder of FOLDERS) {
      for (const file of (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'))) {
        const codes = (await readFile(join(folder, file), 'utf8')).match(/'relay\.[a-z.-]+[a-z]'/g) ?? [];
        for (const code of codes) assert.ok(known.has(code.slice(1, -1)) || code.endsWith(".cannot-listen'"), `${code} in ${file}`);
      }
    }
  });

  it('sends nobody away for good whose data could be taken later', () => {
    for (const [code, { status, retryAfterS }] of errorReplies()) assert.equal([429, 503].includes(status), retryAfterS !== undefined, code);
  });

  it('takes what it does not know for a fault of ours', () => {
    assert.deepEqual([replyFor('relay.unheard-of').status, codeOfStatus(418), codeOfStatus(404)], [500, 'relay.internal', 'relay.intake.unknown-path']);
  });

  it('is printed for the README with a row of four cells for each code', () => {
    const [heading, line, ...rows] = errorTable().split('\n');
    assert.deepEqual([heading, line], ['| code | status | Retry-After | meaning |', '| --- | --- | --- | --- |']);
    assert.equal(rows.length, errorReplies().length);
    for (const row of rows) assert.match(row, /^\| `relay\.[a-z.-]+` \| \d{3} \| (\d+ s)? \| [^|]+\. \|$/);
    assert.ok(rows.some((row) => row.startsWith('| `relay.cache.full` | 503 | 60 s | ')));
  });
});
