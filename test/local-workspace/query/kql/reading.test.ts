import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScanRequest } from '../../../../src/local-workspace/tables/scan.ts';
import { createSite, rowsOf, tableOf } from './site.ts';

const MIDNIGHT = Date.parse('2026-11-29T00:00:00Z');
const at = (hours: number): number => MIDNIGHT + hours * 3_600_000;

/** What a query asked the tables for. */
async function requestsOf(text: string, timespan?: { from?: number; to?: number }): Promise<readonly ScanRequest[]> {
  const scanner = createSite();
  await tableOf(text, { scanner, timespan });
  return scanner.requests;
}

test('a query reads only the columns it needs', async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['Events | count', []],
    ['Events | take 2 | count', []],
    ['Events | where Ok | count', ['Ok']],
    ['Events | project Computer', ['Computer']],
    ['Events | extend x = Size * 2 | project Computer', ['Computer']],
    ['Events | summarize sum(Size) by Computer', ['Computer', 'Size']],
    ['Events | summarize count() by Computer | count', ['Computer']],
    ['Events | top 1 by Size | project Message', ['Message', 'Size']],
    ['Events | join kind=leftsemi Events on Id | project Level', ['Id']],
    ['Events | getschema', []],
    ['Events | distinct Computer', ['Computer']],
    ['Events | where Level > 1 | project-away TimeGenerated | project Level', ['Level']],
  ];
  for (const [text, columns] of cases) {
    const [request] = await requestsOf(text);
    assert.deepEqual([...(request?.columns ?? [])].sort(), columns, text);
  }
});

test('bounds on TimeGenerated go down to the table, through what does not change it', async () => {
  const now = at(10);
  const cases: readonly (readonly [text: string, from: number | undefined, to: number | undefined])[] = [
    ['Events | where TimeGenerated > ago(1h) | count', now - 3_600_000, undefined],
    ['Events | where TimeGenerated >= datetime(2026-11-29 08:00) and TimeGenerated < datetime(2026-11-29 09:00) | count', at(8), at(9)],
    ['Events | where datetime(2026-11-29 08:00) <= TimeGenerated | count', at(8), undefined],
    ['Events | where TimeGenerated between (datetime(2026-11-29 08:00) .. 1h) | count', at(8), at(9) + 1],
    ['Events | where TimeGenerated == datetime(2026-11-29 09:30) | count', at(9.5), at(9.5) + 1],
    ['Events | where Ok | extend x = 1 | sort by Size | where TimeGenerated > datetime(2026-11-29 08:00) | project x', at(8), undefined],
    ['Events | project-rename Time = TimeGenerated | where Time < datetime(2026-11-29 09:00) | count', undefined, at(9)],
    ['union Events, Empty | where TimeGenerated > datetime(2026-11-29 09:00) | count', at(9), undefined],
    ['Events | join kind=inner Machines on Computer | where TimeGenerated > datetime(2026-11-29 09:00) | count', at(9), undefined],
    ['Events | join Machines on Computer | where TimeGenerated > datetime(2026-11-29 09:00) | count', undefined, undefined],
    ['Events | extend TimeGenerated = TimeGenerated + 1h | where TimeGenerated > datetime(2026-11-29 09:00) | count', undefined, undefined],
    ['Events | where TimeGenerated > datetime(2026-11-29 09:00) or Ok | count', undefined, undefined],
    ['Events | take 5 | where TimeGenerated > datetime(2026-11-29 09:00) | count', undefined, undefined],
    ['Events | top 5 by Size | where TimeGenerated > datetime(2026-11-29 09:00) | count', undefined, undefined],
    ['Events | where not(TimeGenerated > datetime(2026-11-29 09:00)) | count', undefined, undefined],
    ['Events | where _TimeReceived > datetime(2026-11-29 09:00) | count', undefined, undefined],
  ];
  for (const [text, from, to] of cases) {
    const requests = await requestsOf(text);
    const [request] = requests.filter(({ table }) => table === 'Events');
    assert.deepEqual([request?.from, request?.to], [from, to], text);
  }
});

test('the timespan of the request filters every table, whatever the query says', async () => {
  const timespan = { from: at(8.5), to: at(9.25) };
  assert.deepEqual(await rowsOf('Events | count', { timespan }), [[2]]);
  assert.deepEqual(await rowsOf('union Events, Machines | count', { timespan }), [[2]]);
  assert.deepEqual(await rowsOf('Events | project Size | sort by Size asc', { timespan }), [[null], [300]]);
  const [request] = await requestsOf('Events | where TimeGenerated > datetime(2026-11-29 09:00) | count', timespan);
  assert.deepEqual([request?.from, request?.to], [at(9), at(9.25)]);
});

test('take ends the reading, and rows read are counted', async () => {
  const scanner = createSite();
  const answer = await tableOf('Events | take 2', { scanner });
  assert.equal(scanner.chunksRead(), 1);
  assert.equal(answer.scannedRows, 4);
  assert.equal((await tableOf('union Events, Machines | count')).scannedRows, 11);
});
