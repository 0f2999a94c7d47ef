import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { optionPlaces } from '../../src/configuration/option-places.ts';
import type { Programs, Ran } from '../../src/host/run-program.ts';
import { escapeXml } from '../../src/oms-protocol/xml.ts';
import { answersOfProperties, faultIn, offeredProperties, propertiesOf } from '../../src/setup/answer-names.ts';
import { answersSchema } from '../../src/setup/answers.ts';
import { answersOfFile, findAnswers } from '../../src/setup/find-answers.ts';
import { machineFiles } from '../../src/setup/machine-files.ts';
import { readOvfEnvironment } from '../../src/setup/ovf-environment.ts';
import { readAnswers } from '../../src/setup/read-answers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { BANK, read, SHARED_KEY, SMALL, SSH_KEY } from './given.ts';

const PROPERTIES: Readonly<Record<string, string>> = {
  'relay.name': 'relay-01.example.org',
  'relay.address': '10.1.0.5/24',
  'relay.gateway': '10.1.0.1',
  'relay.dns': '10.1.0.2',
  'relay.ntp': 'time.example.org',
  'relay.sshKeys': SSH_KEY,
  'relay.tunnel': '',
  'relay.workspace.id': BANK,
  'relay.workspace.endpoint': 'https://upstream.example.org:8443',
  'relay.workspace.sharedKey': SHARED_KEY,
  'relay.workspace.enrolmentKey.name': 'site',
  'relay.workspace.enrolmentKey.approve': 'all',
  'vm.vmname': 'relay-01',
};

function environment(properties: Readonly<Record<string, string>>): string {
  const lines = Object.entries(properties).map(([key, value]) => `<Property oe:key="${key}" oe:value="${escapeXml(value)}"/>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:oe="http://schemas.dmtf.org/ovf/environment/1"
  xmlns:ve="http://www.vmware.com/schema/ovfenv" oe:id="" ve:vCenterId="vm-42">
  <PlatformSection><Kind>VMware ESXi</Kind><Version>8.0.3</Version></PlatformSection>
  <PropertySection>${lines.join('\n')}</PropertySection>
  <ve:EthernetAdapterSection><ve:Adapter ve:mac="00:50:56:00:00:01" ve:network="agents"/></ve:EthernetAdapterSection>
</Environment>`;
}

/** Programs that answer as told, and are not there otherwise. */
function programsThat(answer: (line: string) => string | undefined | Promise<string | undefined>): Programs {
  return {
    async run(program, args): Promise<Ran> {
      const out = await answer([program, ...args].join(' '));
      return out === undefined ? { code: 127, out: '', err: '' } : { code: 0, out, err: '' };
    },
  };
}

const none = programsThat(() => undefined);

describe('where answers come from', () => {
  it('cloud-init: the key relay of the user-data, beside everything else that is there', async () => {
    await using folder = await temporaryFolder();
    const files = machineFiles(folder.path);
    await mkdir(join(folder.path, 'var/lib/cloud/instance'), { recursive: true });
    await writeFile(files.userData, `#cloud-config\nssh_authorized_keys: []\nrelay: ${JSON.stringify(SMALL)}\n`);
    const found = await findAnswers({ files, programs: none, mountPoint: folder.path });
    assert.ok(found);
    assert.deepEqual(readAnswers(found), read(SMALL));
    assert.throws(
      () => readAnswers({ ...found, value: { name: 'a b' } }),
      /The answers of cloud-init's user-data cannot be used, one problem; nothing was changed:\n {2}relay\.name: /,
    );
  });

  it('cloud-init: user-data of something else is none; broken YAML is told without a line of it', async () => {
    await using folder = await temporaryFolder();
    const files = machineFiles(folder.path);
    await mkdir(join(folder.path, 'var/lib/cloud/instance'), { recursive: true });
    await writeFile(files.userData, '#!/bin/sh\necho relay\n');
    assert.equal(await findAnswers({ files, programs: none, mountPoint: folder.path }), undefined);
    await writeFile(files.userData, '#cloud-config\nrelay:\n  workspace: {sharedKey: "topsecret\n');
    await assert.rejects(
      findAnswers({ files, programs: none, mountPoint: folder.path }),
      (error: Error) => /not YAML: \w+ at character \d+/.test(error.message) && !/topsecret/.test(error.message),
    );
  });

  it("the virtual machine's OVF properties by VMware's tools", async () => {
    await using folder = await temporaryFolder();
    const programs = programsThat((line) => (line === 'vmtoolsd --cmd info-get guestinfo.ovfEnv' ? environment(PROPERTIES) : undefined));
    const found = await findAnswers({ files: machineFiles(folder.path), programs, mountPoint: folder.path });
    assert.ok(found);
    assert.deepEqual(readAnswers(found), read(SMALL));
    assert.throws(() => readAnswers({ ...found, value: answersOfProperties(new Map([['relay.workspace.id', 'x']])) }), /relay\.workspace\.id: found "x"/);
  });

  it('the OVF properties on a CD, which is mounted for as long as it is read', async () => {
    await using folder = await temporaryFolder();
    const lines: string[] = [];
    const programs = programsThat(async (line) => {
      lines.push(line);
      if (line.startsWith('mount') && line.includes('/dev/sr1')) await writeFile(join(folder.path, 'ovf-env.xml'), environment(PROPERTIES));
      return /\/dev\/sr1|^umount/.test(line) ? '' : undefined;
    });
    const found = await findAnswers({ files: machineFiles(folder.path), programs, mountPoint: folder.path });
    assert.equal(found?.from, 'the OVF properties on /dev/sr1');
    assert.deepEqual(readAnswers(found), read(SMALL));
    assert.deepEqual(
      lines.slice(1).map((line) => line.split(' ')[0]),
      ['mount', 'mount', 'umount'],
    );
  });

  it('a machine without properties of ours has none', async () => {
    await using folder = await temporaryFolder();
    const programs = programsThat((line) => (line.startsWith('vmtoolsd') ? environment({ 'vm.vmname': 'x', 'relay.name': '' }) : undefined));
    assert.equal(await findAnswers({ files: machineFiles(folder.path), programs, mountPoint: folder.path }), undefined);
  });

  it('a file: as it is, or under relay as in user-data; each names its answers as they were typed', async () => {
    await using folder = await temporaryFolder();
    const [plain, cloud] = ['plain.yaml', 'cloud.yaml'].map((name) => join(folder.path, name)) as [string, string];
    await writeFile(plain, JSON.stringify({ name: 'a b' }));
    await writeFile(cloud, JSON.stringify({ relay: { name: 'a b' } }));
    const [one, two] = [await answersOfFile(plain), await answersOfFile(cloud)];
    assert.throws(() => readAnswers(one), /^ {2}name: found "a b"/m);
    assert.throws(() => readAnswers(two), /^ {2}relay\.name: found "a b"/m);
    await assert.rejects(answersOfFile(join(folder.path, 'none')), /none cannot be read/);
  });
});

test('every property that the image offers is an answer, and none is offered twice', () => {
  const known = optionPlaces(answersSchema).map(({ path }) => `relay.${path.replace('workspaces[]', 'workspace')}`);
  const offered = offeredProperties().map(({ property }) => property);
  assert.deepEqual(
    offered.filter((property) => !known.includes(property)),
    [],
  );
  assert.equal(new Set(offered).size, 37);
  assert.deepEqual(
    offeredProperties().flatMap(({ property, isSecret }) => (isSecret ? [property] : [])),
    ['relay.workspace.sharedKey', 'relay.workspace.secret', 'relay.workspace.path.proxy.password', 'relay.workspace.enrolmentKey.key'],
  );
});

test('properties are texts: lists with commas or spaces, flags in any case, numbers, and SSH keys with a comma in their comment', () => {
  const texts = {
    'relay.dns': '10.1.0.2, 10.1.0.3 fd00::2',
    'relay.tunnel': 'True',
    'relay.workspace.path.proxy.port': '3128',
    'relay.sshKeys': `${SSH_KEY}, ${SSH_KEY}`,
  };
  assert.deepEqual(answersOfProperties(new Map(Object.entries(texts))), {
    dns: ['10.1.0.2', '10.1.0.3', 'fd00::2'],
    tunnel: true,
    workspace: { path: { proxy: { port: 3128 } } },
    sshKeys: [SSH_KEY, SSH_KEY],
  });
});

test('a property that is not known, or stands where others stand below, is refused and not passed over', () => {
  assert.throws(
    () =>
      read(
        answersOfProperties(
          new Map([
            ['relay.name', 'r'],
            ['relay.adress', '10.1.0.5/24'],
          ]),
        ),
      ),
    /adress: unknown answer; did you mean address/,
  );
  assert.throws(
    () =>
      read(
        answersOfProperties(
          new Map([
            ['relay.name', 'r'],
            ['relay.management', 'eth1'],
            ['relay.management.interface', 'eth1'],
          ]),
        ),
      ),
    /management: found "eth1"/,
  );
});

test('answers turn into properties and back', () => {
  const { workspace, ...rest } = SMALL;
  const answers = read({ ...rest, workspace, cacheLimit: '50GiB', tunnel: true });
  assert.deepEqual(read(answersOfProperties(propertiesOf(answers))), answers);
});

test('one property can be judged by itself', () => {
  assert.equal(faultIn('relay.address', '10.1.0.5/24'), undefined);
  assert.match(faultIn('relay.address', '10.1.0.5') ?? '', /dhcp, or an address with the length/);
  assert.match(faultIn('relay.dns', '10.1.0.2, x') ?? '', /an IP address/);
});

test('a document with a DTD, or of something else, is no OVF environment', () => {
  assert.equal(readOvfEnvironment('<!DOCTYPE a [<!ENTITY b "c">]><Environment/>'), undefined);
  assert.equal(readOvfEnvironment('<Envelope/>'), undefined);
  assert.equal(readOvfEnvironment('no XML'), undefined);
});
