import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeRefusal } from '../../src/oms-protocol/refusal-body.ts';
import { child, escapeXml, readXml } from '../../src/oms-protocol/xml.ts';

const nested = (levels: number): string => `${'<a>'.repeat(levels)}${'</a>'.repeat(levels)}`;

describe('readXml', () => {
  it('reads names without their prefix, attributes, text and children in order', () => {
    const root = readXml('<?xml version="1.0"?>\n<x:a xmlns:x="urn:x" x:one="1" two="&lt;2&gt;">before<b/>&amp;&#65;<![CDATA[<&>]]><c>in</c></x:a>');
    assert.equal(root?.name, 'a');
    const { one, two } = root.attributes;
    assert.deepEqual([one, two], ['1', '<2>']);
    assert.equal(root.text, 'before&A<&>');
    assert.deepEqual(
      root.children.map(({ name, text }) => ({ name, text })),
      [
        { name: 'b', text: '' },
        { name: 'c', text: 'in' },
      ],
    );
  });

  const garbage: Readonly<Record<string, string>> = {
    'an empty text': '',
    'plain text': 'hello',
    JSON: '{"a":1}',
    'an element that is not closed': '<a>',
    'tags that cross': '<a><b></a></b>',
    'two roots': '<a/><b/>',
    'text behind the root': '<a/>x',
    'an attribute twice': '<a b="1" b="2"/>',
    'a bare ampersand': '<a>&</a>',
    'an unknown entity': '<a>&nbsp;</a>',
    'a prefix without a namespace': '<x:a/>',
    'a character XML forbids': '<a>\u0001</a>',
    'a DTD': '<!DOCTYPE a><a/>',
    'a DTD with an external entity': '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    'an entity bomb': '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;"><!ENTITY d "&c;&c;">]><a>&d;</a>',
    'a parameter entity': '<!DOCTYPE a [<!ENTITY % x "y"> %x;]><a/>',
  };
  for (const [what, text] of Object.entries(garbage)) {
    it(`refuses ${what}`, () => assert.equal(readXml(text), undefined));
  }

  it('reads 16 levels and no more', () => {
    assert.notEqual(readXml(nested(16)), undefined);
    assert.equal(readXml(nested(17)), undefined);
  });

  it('reads 512 elements and no more', () => {
    assert.equal(readXml(`<a>${'<b/>'.repeat(511)}</a>`)?.children.length, 511);
    assert.equal(readXml(`<a>${'<b/>'.repeat(512)}</a>`), undefined);
  });

  it('gives an attribute named __proto__ like any other', () => {
    const attributes = readXml('<a __proto__="x"/>')?.attributes;
    assert.deepEqual(Object.entries(attributes ?? {}), [['__proto__', 'x']]);
  });
});

describe('child', () => {
  it('is the first of that name, or undefined', () => {
    const root = readXml('<a><b>1</b><b>2</b></a>');
    assert.equal(child(root, 'b')?.text, '1');
    assert.equal(child(root, 'c'), undefined);
    assert.equal(child(undefined, 'b'), undefined);
  });
});

describe('escapeXml', () => {
  it('makes any text safe between tags and in attributes', () => {
    const text = `<a href="x">Tom & 'Jerry'</a> ü`;
    assert.equal(readXml(`<a>${escapeXml(text)}</a>`)?.text, text);
    assert.deepEqual(Object.values(readXml(`<a b="${escapeXml(text)}"/>`)?.attributes ?? {}), [text]);
  });
});

describe('writeRefusal', () => {
  it('puts the reason where the agent looks for it, on one line', () => {
    const text = writeRefusal('InvalidWorkspaceKey', 'No key of workspace <none> & co.');
    assert.equal(text.includes('\n'), false);
    assert.equal(/<Reason>(.*)<\/Reason>/.exec(text)?.[1], 'InvalidWorkspaceKey');
    assert.equal(child(readXml(text), 'Message')?.text, 'No key of workspace <none> & co.');
  });
});
