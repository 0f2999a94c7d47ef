import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from './site.ts';

/** Query, kind and code, `line,position`, the word at fault, and what the message says. */
type Case = readonly [query: string, error: string, place: string, token: string, says: RegExp];

const CASES: readonly Case[] = [
  ['', 'syntax-error SYN0002', '1,1', '', /could not be parsed at the end on line \[1,1\]: the query is empty/],
  ['Events | wher x', 'syntax-error SYN0002', '1,10', 'wher', /'wher' on line \[1,10\].*did you mean where\?$/],
  ['Events\n| where Ok\n| sumarize count()', 'syntax-error SYN0002', '3,3', 'sumarize', /did you mean summarize\?/],
  ['Events | mv-expand Data', 'syntax-error SYN0002', '1,10', 'mv-expand', /not supported here/],
  ['search "x"', 'syntax-error SYN0002', '1,1', 'search', /not supported here/],
  ['range x from 1 to 5 step 1', 'syntax-error SYN0002', '1,1', 'range', /not supported here/],
  ['Events |', 'syntax-error SYN0002', '1,9', '', /an operator should follow the pipe/],
  ['Events || count', 'syntax-error SYN0002', '1,9', '|', /no operator/],
  ['Events where Ok', 'syntax-error SYN0002', '1,8', 'where', /needs a pipe before it/],
  ['Events | count extra', 'syntax-error SYN0002', '1,16', 'extra', /does not belong here/],
  ['Events | count; Events', 'syntax-error SYN0002', '1,17', 'Events', /only one query/],
  ['Events | where (Level > 1', 'syntax-error SYN0002', '1,26', '', /bracket of \( is not closed/],
  ['Events | where Level > ', 'syntax-error SYN0002', '1,24', '', /ends where a value should follow/],
  ['Events | where Level > | count', 'syntax-error SYN0002', '1,24', '|', /a value: a column, a literal or a function is missing/],
  ['Events | where Level in (1, 2', 'syntax-error SYN0002', '1,30', '', /bracket of in is not closed/],
  ['Events | where Level between 1 .. 2', 'syntax-error SYN0002', '1,30', '1', /between needs \( here/],
  ['Events | where Computer == "web', 'syntax-error SYN0002', '1,28', '"web', /no end; close it with "/],
  ["Events | where Computer == 'a\\q'", 'syntax-error SYN0002', '1,30', '\\q', /no escape/],
  ['Events | where Level == 5x', 'syntax-error SYN0002', '1,25', '5x', /neither a number nor a span/],
  ['Events | where Level # 5', 'syntax-error SYN0002', '1,22', '#', /character # means nothing/],
  ['Events | where Ok && Ok', 'syntax-error SYN0002', '1,19', '&', /character & means nothing/],
  ['Events | where TimeGenerated > datetime(soon)', 'syntax-error SYN0002', '1,32', 'datetime(soon)', /soon is no datetime/],
  ['Events | where TimeGenerated > datetime(2026-01-01', 'syntax-error SYN0002', '1,32', 'datetime(', /never closed/],
  ['Events | sort Size', 'syntax-error SYN0002', '1,15', 'Size', /sort needs by here/],
  ['Events | top 5 Size', 'syntax-error SYN0002', '1,16', 'Size', /top needs by here/],
  ['Events | join Machines', 'syntax-error SYN0002', '1,23', '', /join needs on here/],
  ['Events | join kind=iner Machines on Computer', 'syntax-error SYN0002', '1,20', 'iner', /did you mean inner\?/],
  ['union kind=both Events', 'syntax-error SYN0002', '1,12', 'both', /there is inner and outer/],
  ['Events | render timechrt', 'syntax-error SYN0002', '1,17', 'timechrt', /did you mean timechart\?/],
  ['let x = 5', 'syntax-error SYN0002', '1,10', '', /let needs ; here/],
  ['let x = 5;', 'syntax-error SYN0002', '1,11', '', /after let a query must follow/],
  ['let f = (x: long) { x + 1 }; print f(1)', 'syntax-error SYN0002', '1,11', ':', /not closed before this/],
  [`print ${'('.repeat(200)}1`, 'syntax-error SYN0002', '1,106', '(', /more than 100 brackets/],
  [`print 1${'+1'.repeat(5_000)}`, 'syntax-error SYN0002', '1,9604', '+', /more than 200 operators/],
  [`Events${' | count'.repeat(600)}`, 'syntax-error SYN0002', '1,4016', '|', /at most 500 operators/],
  [
    'Events | where Compter == 1',
    'semantic-error SEM0100',
    '1,16',
    'Compter',
    /'where' operator: Failed to resolve column or scalar expression named 'Compter'\. Did you mean 'Computer'\?/,
  ],
  ['Events | extend x = Size\n| project y', 'semantic-error SEM0100', '2,11', 'y', /'project' operator: Failed to resolve/],
  ['Event | count', 'semantic-error SEM0100', '1,1', 'Event', /Failed to resolve table .* 'Event'\. Did you mean 'Events'\?/],
  ['Events | project-away Sise', 'semantic-error SEM0100', '1,23', 'Sise', /Did you mean 'Size'/],
  ['union Nothing*', 'semantic-error SEM0100', '1,1', 'union', /no table fits/],
  ['Events* | count', 'semantic-error', '1,1', 'Events*', /by union only/],
  ['Events | summarize countt() by Computer', 'semantic-error SEM0260', '1,20', 'countt', /Unknown function: 'countt'\. Did you mean 'count'\?/],
  ['Events | extend x = tolowr(Computer)', 'semantic-error SEM0260', '1,21', 'tolowr', /Did you mean 'tolower'/],
  ['Events | extend x = tolower()', 'semantic-error SEM0219', '1,21', 'tolower', /expects 1 argument\(s\), but has 0/],
  ['Events | extend x = case(Ok, 1, false, 2)', 'semantic-error SEM0219', '1,21', 'case', /an odd number of arguments/],
  ['Events | summarize sum(Size, Level, Load)', 'semantic-error SEM0219', '1,20', 'sum', /expects 1 argument/],
  ['Events | where Level == "a"', 'semantic-error SEM0064', '1,22', '==', /Cannot compare values of types int and string\. Try adding explicit casts/],
  ['Events | where TimeGenerated > "2026-01-01"', 'semantic-error SEM0064', '1,30', '>', /datetime and string/],
  ['Events | where Size in ("a")', 'semantic-error SEM0064', '1,21', 'in', /long and string/],
  ['Events | where Size', 'semantic-error', '1,16', 'Size', /needs a condition that is true or false, but this is a long/],
  ['Events | where Size has "1"', 'semantic-error', '1,21', 'has', /needs texts, but this is a long/],
  ['Events | where Computer between ("a" .. "b")', 'semantic-error', '1,25', 'between', /needs a number or a time/],
  ['Events | where Computer matches regex "(a"', 'semantic-error', '1,39', '"(a"', /no regular expression .* missing closing/],
  ['Events | where Computer matches regex "(a)\\\\1"', 'semantic-error', '1,39', '"(a)\\\\1"', /no back references/],
  [`Events | where Computer matches regex '${'(x{1,900})'.repeat(5)}'`, 'semantic-error', '1,39', `'${'(x{1,900})'.repeat(5)}'`, /at most 2000 steps/],
  ['Events | extend x = Computer + 1', 'semantic-error', '1,30', '+', /cannot be used with the types string and long/],
  ['Events | extend x = Computer.name', 'semantic-error', '1,30', 'name', /Only a dynamic value has something inside/],
  ['Events | extend x = bin(TimeGenerated, 5)', 'semantic-error', '1,21', 'bin', /a datetime is cut by a timespan/],
  ['Events | extend x = abs(Computer)', 'semantic-error', '1,21', 'abs', /needs a number/],
  ["Events | extend x = iff(Ok, 1, 'a')", 'semantic-error', '1,21', 'iff', /values of one type, but these are long and string/],
  ['Events | where count() > 1', 'semantic-error SEM0108', '1,16', 'count', /allowed in summarize only/],
  ['Events | summarize Size', 'semantic-error', '1,20', 'Size', /neither an aggregate nor grouped/],
  ['Events | summarize sum(Computer)', 'semantic-error', '1,20', 'sum', /needs int, long, real, timespan, but this is a string/],
  ['Events | summarize percentile(Size, 200)', 'semantic-error', '1,20', 'percentile', /from 0 to 100, but this is 200/],
  ['Events | summarize count() by Data', 'semantic-error', '1,31', 'Data', /dynamic.*tostring/],
  ['Events | sort by Data.a', 'semantic-error', '1,23', 'a', /cannot order by a dynamic value/],
  ['Events | distinct *', 'semantic-error', '1,19', '*', /Data is dynamic/],
  ['Events | project Size, Size', 'semantic-error', '1,24', 'Size', /already declared/],
  ['Events | project-rename Level = Size', 'semantic-error', '1,25', 'Level', /already declared/],
  ['Events | take -1', 'semantic-error', '1,15', '-', /needs a whole number of rows/],
  ['Events | take Size', 'semantic-error SEM0100', '1,15', 'Size', /'take' operator/],
  ['Events | join Machines on Siz', 'semantic-error SEM0100', '1,27', 'Siz', /'join' operator: Failed to resolve/],
  ['Events | join Machines on Size', 'semantic-error', '1,27', 'Size', /long on the left and string on the right/],
  ['Events | join Machines on Computer == Computer', 'semantic-error', '1,27', 'Computer', /\$left\.Column with \$right\.Column/],
  ['let x = 1; x | count', 'semantic-error', '1,12', 'x', /a single value/],
  ['let x = 1; let x = 2; print x', 'semantic-error', '1,16', 'x', /already a 'x'/],
];

test('an error names the word at fault, where it stands, and what to do', async () => {
  for (const [query, error, place, token, says] of CASES) {
    const answer = await ask(query);
    const label = query.slice(0, 80);
    assert.ok(answer.kind === 'syntax-error' || answer.kind === 'semantic-error', `${label}: ${JSON.stringify(answer)}`);
    assert.equal([answer.kind, answer.code].filter(Boolean).join(' '), error, `${label}: ${answer.message}`);
    assert.equal(`${answer.line},${answer.position}`, place, `${label}: ${answer.message}`);
    assert.equal(answer.token, token, label);
    assert.equal(query.slice(answer.offset, answer.offset + token.length), token, label);
    assert.match(answer.message, says);
  }
});

test('a word of any length is cut short where it is shown', async () => {
  const answer = await ask(`Events | where ${'x'.repeat(1_000_000)} == 1`);
  assert.ok(answer.kind === 'semantic-error' && answer.token.length === 100 && answer.message.length < 1_200, answer.kind);
  assert.equal((await ask(`print strlen('${'a'.repeat(5_000_000)}')`)).kind, 'table');
});

test('lets that double each other are refused before they run', async () => {
  const doubling = Array.from({ length: 20 }, (_, index) => `let t${index + 1} = union t${index}, t${index};`);
  const answer = await ask(`let t0 = Events; ${doubling.join(' ')} t20 | count`);
  assert.equal(answer.kind, 'semantic-error');
  assert.match(JSON.stringify(answer), /at most 500 operators and tables/);
});
