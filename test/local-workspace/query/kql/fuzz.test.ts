import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutated } from '../../../support/mutations.ts';
import { seeded } from '../../../support/seeded.ts';
import { ask } from './site.ts';

const SEED = 20_261_129;
const QUERIES = 10_000;

// Whole queries to break, and words to put together at random.
const WHOLE: readonly string[] = [
  "Events | where TimeGenerated > ago(2h) and Computer has 'web' | summarize n = count(), avg(Size) by bin(TimeGenerated, 1h), Computer | sort by n desc, Computer asc | take 5",
  'let t = 2; let E = Events | where Level >= t; union withsource=S kind=outer E, (Machines | extend x = 1), M* | project-away x | distinct S',
  'Events | join kind=leftouter (Machines | project Computer, Site) on $left.Computer == $right.Computer | project Computer, Site, s = strcat(Site, "-", Size)',
  'Events | extend a = Data.b["c"], l = Data.l[0], k = parse_json(Message) | where tostring(a) != "" or isnull(l) | top 3 by Size asc nulls last',
  "Events | summarize arg_max(TimeGenerated, *), dcount(Id), make_set(Level, 5), percentiles(Load, 5, 50, 95), stdev(Size) by Computer | render timechart with (title='t')",
  'print a = case(1 > 2, "x", 2 between (1 .. 3), \'y\', @"z"), datetime(2026-11-29) + 1d * 2 - 3h, -7 % 3 / 2.5, dynamic({"a": [1, 2]}).a[1], bin(7, 2)',
  "Events | where Message matches regex '^[A-Z].*d$' or Message !in~ ('a', 'b') or Message has_any (dynamic(['x'])) | project-rename M = Message | getschema",
  "Events | project x = format_datetime(TimeGenerated, 'yyyy-MM'), y = split(Message, ' ')[1], z = extract('(.)(.)', 2, Message), w = substring(Computer, 1, 2) | count",
];
const WORDS: readonly string[] = [...new Set(WHOLE.flatMap((query) => query.match(/\w+|[^\s\w]+/g) ?? []))];

test('no broken query throws, and every one ends with an answer', async () => {
  const random = seeded(SEED);
  const kinds = new Map<string, number>();
  for (let index = 0; index < QUERIES; index += 1) {
    const text = index % 4 === 0 ? randomWords(random) : mutated(Buffer.from(WHOLE[index % WHOLE.length] ?? ''), random).toString('utf8');
    const answer = await ask(text).catch((cause: unknown) => assert.fail(`query ${index} of seed ${SEED} threw ${String(cause)}: ${text}`));
    kinds.set(answer.kind, (kinds.get(answer.kind) ?? 0) + 1);
    if (answer.kind === 'syntax-error' || answer.kind === 'semantic-error') assert.ok(answer.offset <= text.length && answer.message.length > 0, text);
  }
  // Broken queries that are still queries, that are none, and that mean nothing: all were met.
  for (const kind of ['table', 'syntax-error', 'semantic-error']) assert.ok((kinds.get(kind) ?? 0) > 100, `${kind}: ${kinds.get(kind)}`);
});

function randomWords(random: () => number): string {
  const length = 1 + Math.floor(random() * 12);
  const words = Array.from({ length }, () => WORDS[Math.floor(random() * WORDS.length)]);
  return `Events | ${words.join(' ')}`;
}
