import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultOf } from './site.ts';

const CASES: readonly (readonly [expression: string, value: boolean])[] = [
  ["'Hello World' contains 'LO w'", true],
  ["'Hello World' contains_cs 'lo w'", false],
  ["'Hello World' !contains 'lo w'", false],
  ["'Hello World' has 'world'", true],
  ["'Hello World' has 'wor'", false],
  ["'Hello World' !has 'wor'", true],
  ["'Hello World' has_cs 'world'", false],
  ["'a-b c' has 'a-b'", true],
  ["'xa-b c' has 'a-b'", false],
  ["'user_name' has 'name'", true],
  ["'Bücher' has 'b'", false],
  ["'Hello World' hasprefix 'wor'", true],
  ["'Hello World' hassuffix 'RLD'", true],
  ["'Hello' startswith 'HE'", true],
  ["'Hello' startswith_cs 'HE'", false],
  ["'Hello' !startswith 'x'", true],
  ["'Hello' endswith 'LO'", true],
  ["'Hello' endswith_cs 'LO'", false],
  ["'Hello' =~ 'hELLO'", true],
  ["'Hello' !~ 'hELLO'", false],
  ["'Hello' == 'hello'", false],
  ["'a' < 'b'", true],
  ["'Hello' matches regex '^h'", false],
  ["'Hello' matches regex '(?i)^h'", true],
  ["'one two' has_any ('three', 'TWO')", true],
  ["'one two' has_all ('one', 'three')", false],
  ["'one two' has_all (dynamic(['one', 'two']))", true],
  ["'b' in ('a', 'b')", true],
  ["'B' in ('a', 'b')", false],
  ["'B' in~ ('a', 'b')", true],
  ["'b' !in ('a', 'b')", false],
  ["'B' !in~ ('a', 'b')", false],
  ['2 in (dynamic([1, 2]))', true],
  ['2 in (1, 2.0)', true],
  ['2 between (1 .. 2)', true],
  ['2 !between (1..2)', false],
  ['datetime(2026-01-02) between (datetime(2026-01-01) .. 1d)', true],
];

test('text operators know case, terms and ends; lists and ranges know what is in them', async () => {
  for (const [expression, value] of CASES) assert.equal(await resultOf(expression), value, expression);
});
