import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { offeredProperties } from '../../src/setup/answer-names.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runImageProgram } from './run-image-program.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

suite('the descriptor of the OVA', () => {
  let elements: readonly Element[] = [];
  const named = (name: string): readonly Element[] => elements.filter((element) => element.name === name);
  const texts = (name: string): readonly string[] => named(name).map(({ text }) => text);

  before(async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'release'));
    await symlink(PROJECT, join(folder.path, 'release', 'app'));
    await writeFile(join(folder.path, 'relay-1.2.3.vmdk'), 'disk');
    const { status, stdout, stderr } = runImageProgram('ovf-descriptor', [join(folder.path, 'release'), join(folder.path, 'relay-1.2.3.vmdk'), '1.2.3', '32']);
    assert.equal(status, 0, stderr);
    elements = elementsOf(stdout);
  });

  test('asks for every answer that setup offers, under the names that setup reads, secrets as dots', () => {
    const asked = named('Property').map(({ attributes }) => [attributes['ovf:key'], attributes['ovf:type'], attributes['ovf:password'] === 'true']);
    assert.deepEqual(
      asked,
      offeredProperties().map(({ property, type, isSecret }) => [property, type, isSecret]),
    );
    assert.ok(asked.some(([, , isSecret]) => isSecret));
    for (const { attributes } of named('Property')) assert.equal(attributes['ovf:userConfigurable'], 'true');
  });

  test('names the disk by its file, size and capacity', () => {
    assert.deepEqual(
      named('File').map(({ attributes }) => [attributes['ovf:href'], attributes['ovf:size']]),
      [['relay-1.2.3.vmdk', '4']],
    );
    assert.equal(named('Disk')[0]?.attributes['ovf:capacity'], String(32 * 1024 ** 3));
  });

  test('gives the answers to the machine on a CD and by the tools, and hardware that every kernel of ours has drivers for', () => {
    assert.equal(named('VirtualHardwareSection')[0]?.attributes['ovf:transport'], 'iso com.vmware.guestInfo');
    assert.deepEqual(texts('rasd:ResourceSubType'), ['VirtualSCSI', 'vmware.cdrom.remotepassthrough', 'VmxNet3']);
  });

  test('keeps the order of elements that the schema of an item wants', () => {
    const items = elements.map(({ name }) => name);
    let last = '';
    for (const name of items) {
      if (name.startsWith('rasd:')) assert.ok(name > last, `${name} comes after ${last}`);
      last = name.startsWith('rasd:') ? name : '';
    }
  });
});

function elementsOf(xml: string): readonly Element[] {
  const found: Element[] = [];
  const open: Element[] = [];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => assert.fail(error));
  parser.on('opentag', ({ name, attributes }: SaxesTagNS) => {
    const element = { name, attributes: Object.fromEntries(Object.entries(attributes).map(([key, { value }]) => [key, value])), text: '' };
    found.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on('closetag', () => void open.pop());
  parser.write(xml).close();
  return found;
}
