import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsOf, tableOf } from './site.ts';

/** Query, columns of the answer, rows of the answer. */
type Case = readonly [query: string, columns: string, rows: readonly (readonly unknown[])[]];

const ALL = 'TimeGenerated, Computer, Level, Size, Load, Ok, Took, Id, Data, Message, _TimeReceived';

const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  'where keeps rows': [
    ["Events | where Computer == 'web-2' | project Size", 'Size', [[200], [400]]],
    ["Events | filter Computer =~ 'WEB-2' and Size > 300 | project Size", 'Size', [[400]]],
    ['Events | where Level > 2 or Took > 1d | project Level', 'Level', [[3], [4], [1]]],
    ['Events | where TimeGenerated >= datetime(2026-11-29 09:30) | project Size', 'Size', [[400], [300]]],
    ['Events | where TimeGenerated > ago(20m) | project Size', 'Size', [[300]]],
    ["Events | where Message has 'service' | project Message", 'Message', [['Service started'], ['service STOPPED'], ['Service-restart pending']]],
    ["Events | where Message matches regex @'^\\w+ \\w+$' | project Message", 'Message', [['Service started'], ['service STOPPED'], ['password changed']]],
    ["Events | where Id == '74BE27DE-1e4e-49d9-b579-fe0b331d3642' | count", 'Count', [[3]]],
    ['Events | where Data.a == 1 | count', 'Count', [[1]]],
    ["Events | where Data.a == 'one' | count", 'Count', [[1]]],
    ['Events | where true | where false | count', 'Count', [[0]]],
    ['Events | where Computer has Computer | count', 'Count', [[7]]],
  ],
  'project and its kin choose, make and rename columns': [
    ['Events | project Size, Double = Size * 2 | take 1', 'Size, Double', [[100, 200]]],
    ["Events | project ['Computer'], x = ['Level'] | take 1", 'Computer, x', [['web-1', 1]]],
    [
      'Events | project Data.b.c, Data["a"], toint(Load), Size + 1, strlen(Computer) | take 1',
      'Data_b_c, Data_a, Load, Column1, strlen_Computer',
      [['"deep"', '1', 0, 101, 5]],
    ],
    ['Machines | extend Level = Level * 10, Site1 = toupper(Site) | project-away TimeGenerated, Si* | take 1', 'Computer, Level', [['web-1', 10]]],
    ['Machines | project-rename Name = Computer, Place = Site | project-keep Name, P* | take 1', 'Name, Place', [['web-1', 'north']]],
    [
      "Events | extend c = iff(Ok, 'good', 'bad') | summarize count() by c",
      'c, count_',
      [
        ['good', 4],
        ['bad', 3],
      ],
    ],
    ['print 1, x = 2, "a"', 'print_0, x, print_2', [[1, 2, 'a']]],
  ],
  'sort, top, take and count': [
    ['Events | sort by Size | project Size | take 3', 'Size', [[400], [300], [300]]],
    [
      'Events | order by Computer asc, Size desc | project Computer, Size | limit 3',
      'Computer, Size',
      [
        ['', null],
        ['db-1', 50],
        ['web-1', 300],
      ],
    ],
    ['Events | sort by strlen(Message) asc | project Message | take 2', 'Message', [[''], ['Service started']]],
    ['Events | top 2 by Size asc nulls last | project Size', 'Size', [[50], [100]]],
    ['Events | top 1 + 1 by TimeGenerated | project TimeGenerated', 'TimeGenerated', [['2026-11-29T09:45:00Z'], ['2026-11-29T09:30:00Z']]],
    ['Events | top 0 by Size | count', 'Count', [[0]]],
    ['Events | take 5 | count as Rows', 'Rows', [[5]]],
    ['Events | take 0', ALL, []],
    ['Events | sort by Size asc | where TimeGenerated > datetime(2026-11-29 09:00) | take 2 | project Size', 'Size', [[null], [50]]],
    ['Events | take 2 | where TimeGenerated > datetime(2026-11-29 09:00) | count', 'Count', [[0]]],
    ['Events | top 1 by Size | where TimeGenerated < datetime(2026-11-29 09:00) | count', 'Count', [[0]]],
  ],
  'distinct gives each combination once': [
    ['Events | distinct Computer', 'Computer', [['web-1'], ['web-2'], [''], ['db-1']]],
    ['Events | distinct Computer, Ok | count', 'Count', [[5]]],
    ['Machines | project Site | distinct *', 'Site', [['north'], ['south'], ['west']]],
    ['Events | distinct bin(Size, 200)', 'Size', [[0], [200], [null], [400]]],
  ],
  'summarize groups by columns and expressions': [
    [
      'Events | summarize count() by Computer',
      'Computer, count_',
      [
        ['web-1', 3],
        ['web-2', 2],
        ['', 1],
        ['db-1', 1],
      ],
    ],
    [
      'Events | summarize count(), sum(Size) by bin(TimeGenerated, 1h)',
      'TimeGenerated, count_, sum_Size',
      [
        ['2026-11-29T08:00:00Z', 3, 600],
        ['2026-11-29T09:00:00Z', 4, 750],
      ],
    ],
    ['Events | summarize by Computer, Level | count', 'Count', [[6]]],
    ['Events | summarize n = count() by Kind = tostring(Data.a), Ok | where n > 1', 'Kind, Ok, n', [['', true, 2]]],
    ['Events | summarize round(avg(Load), 2), sum(Size) / count(), x = max(Level) + 1', 'avg_Load, Column1, x', [[1.21, 192, 5]]],
    ['Events | summarize count() by toupper(Computer), Size > 100 | take 1', 'Column1, Column2, count_', [['WEB-1', false, 1]]],
    ['Events | summarize sum(Size), sum(Size)', 'sum_Size, sum_Size1', [[1350, 1350]]],
  ],
  'join puts rows with equal keys together': [
    [
      'Events | join kind=inner Machines on Computer | project Computer, Site, Level, Level1, Size1',
      'Computer, Site, Level, Level1, Size1',
      [
        ['web-1', 'north', 1, 1, 'large'],
        ['web-2', 'south', 2, 2, 'small'],
        ['web-2', 'west', 2, 7, 'small'],
        ['web-1', 'north', 3, 1, 'large'],
        ['web-2', 'south', 2, 2, 'small'],
        ['web-2', 'west', 2, 7, 'small'],
        ['web-1', 'north', null, 1, 'large'],
      ],
    ],
    [
      'Events | join Machines on Computer | project Size, Site',
      'Size, Site',
      [
        [100, 'north'],
        [200, 'south'],
        [200, 'west'],
      ],
    ],
    [
      "Machines | join kind=leftouter (Events | where Computer startswith 'web' | summarize n = count() by Computer) on $left.Computer == $right.Computer | project Computer, n, Computer1",
      'Computer, n, Computer1',
      [
        ['web-1', 3, 'web-1'],
        ['web-2', 2, 'web-2'],
        ['web-2', 2, 'web-2'],
        ['mail', null, ''],
      ],
    ],
    ['Machines | join kind=leftanti Events on Computer | project Computer', 'Computer', [['mail']]],
    [
      'Machines | join kind=leftsemi Events on Computer | project Computer, Site',
      'Computer, Site',
      [
        ['web-1', 'north'],
        ['web-2', 'south'],
        ['web-2', 'west'],
      ],
    ],
    [
      'Events | join hint.strategy=broadcast kind=inner Machines on Computer, Level | project Computer, Level',
      'Computer, Level',
      [
        ['web-1', 1],
        ['web-2', 2],
        ['web-2', 2],
      ],
    ],
  ],
  'union puts tables behind each other': [
    ['union Events, Machines | count', 'Count', [[11]]],
    [
      'union withsource = T kind=outer Events, (Machines | where Site == "north") | summarize count() by T',
      'T, count_',
      [
        ['Events', 7],
        ['union_arg1', 2],
      ],
    ],
    ['union kind=inner Events, Machines | getschema | project ColumnName', 'ColumnName', [['TimeGenerated'], ['Computer']]],
    [
      'union isfuzzy=true M*, Event* | where isnotempty(Site) | project Size_string, Size_long',
      'Size_string, Size_long',
      [
        ['large', null],
        ['small', null],
        ['small', null],
        ['small', null],
      ],
    ],
    ['union * | count', 'Count', [[11]]],
    ['Events | project Computer | union (Machines | project Computer) | distinct Computer | count', 'Count', [[5]]],
    ['union Events, Machines | where TimeGenerated < datetime(2026-11-29 08:00) | count', 'Count', [[4]]],
  ],
  'let gives names to values and to queries': [
    ['let least = 300; Events | where Size >= least | count', 'Count', [[3]]],
    ['let big = Events | where Size >= 300; big | union big | count', 'Count', [[6]]],
    ['let a = 1; let b = a; print b + 1', 'print_0', [[2]]],
    ['let Events = Machines | take 1; Events | count', 'Count', [[1]]],
    ['let from = ago(1h); Events | where TimeGenerated > from | count', 'Count', [[4]]],
    ['let T = (Events | take 2); T | count', 'Count', [[2]]],
    ['let x = (1 + 2) * 3; print x', 'print_0', [[9]]],
  ],
  'comments, semicolons and brackets are no matter': [
    ['// what there is\nEvents // the table\n| count;', 'Count', [[7]]],
    ['(Events | where Ok) | count', 'Count', [[4]]],
    ["['Events'] | count", 'Count', [[7]]],
  ],
};

for (const [behaviour, cases] of Object.entries(GROUPS)) {
  test(behaviour, async () => {
    for (const [query, columns, rows] of cases) {
      const answer = await tableOf(query);
      assert.equal(answer.columns.map(({ name }) => name).join(', '), columns, query);
      assert.deepEqual(answer.rows, rows, query);
    }
  });
}

test('getschema tells the columns and their types', async () => {
  assert.deepEqual(await rowsOf('Machines | project Computer, Level, Seen = TimeGenerated | getschema'), [
    ['Computer', 0, 'System.String', 'string'],
    ['Level', 1, 'System.Int64', 'long'],
    ['Seen', 2, 'System.DateTime', 'datetime'],
  ]);
});

test('render changes no row and is told beside them', async () => {
  const answer = await tableOf("Events | summarize count() by Computer | render barchart with (title = 'By computer', ymin=0, legend=hidden, accumulate=true)");
  assert.equal(answer.rows.length, 4);
  assert.deepEqual(answer.render, { visualization: 'barchart', properties: { title: 'By computer', ymin: 0, legend: 'hidden', accumulate: true } });
  assert.equal((await tableOf('Events | take 1')).render, undefined);
});
