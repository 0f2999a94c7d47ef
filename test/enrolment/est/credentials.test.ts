import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readBasic } from '../../../src/basic-credentials.ts';
import { readDer, writeDer } from '../../../src/enrolment/est/body.ts';
import { findCredential } from '../../../src/enrolment/est/credentials.ts';
import { BANK, createGroupRig, PLANT, START } from '../../management-group/rig.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

const HEADERS = [
  ['a name and a password', basic('web01:secret'), { name: 'web01', password: 'secret' }],
  ['a colon in the password', basic('web01:a:b'), { name: 'web01', password: 'a:b' }],
  ['another case', basic('web01:secret').replace('Basic', 'bASIC'), { name: 'web01', password: 'secret' }],
  ['no password', basic('web01:'), { name: 'web01', password: '' }],
  ['no colon', basic('web01'), undefined],
  ['another scheme', 'Bearer abc', undefined],
  ['no base64', 'Basic :::', undefined],
  ['too much', basic(`web01:${'x'.repeat(3_000)}`), undefined],
  ['nothing', undefined, undefined],
] as const;

describe('readBasic', () => {
  for (const [what, header, expected] of HEADERS) it(`reads ${what}`, () => assert.deepEqual(readBasic(header), expected));
});

describe('findCredential', () => {
  it('finds the workspace of a key or a token that can be used, among those served', async () => {
    await using rig = await createGroupRig();
    const { group, clock } = rig;
    const bank = group.enrolmentKeys.create({ name: 'bank', workspaceId: BANK }).secret;
    const plant = group.enrolmentKeys.create({ name: 'plant', workspaceId: PLANT, expiresAt: START + 1_000 }).secret;
    const token = group.tokens.create({ workspaceId: PLANT, expiresAt: START + 1_000 }).secret;
    const found = (secret: string, serves = true): string | undefined => {
      const credential = findCredential(group, () => serves, secret);
      return credential && `${credential.kind} ${credential.workspaceId}`;
    };
    assert.equal(found(`${bank}\n`), `key ${BANK}`);
    assert.equal(found(plant), `key ${PLANT}`);
    assert.equal(found(token), `token ${PLANT}`);
    for (const secret of [bank, plant, token]) assert.equal(found(secret, false), undefined, 'a workspace that is not served');
    for (const wrong of ['', 'no', bank.slice(4), token.slice(1)]) assert.equal(found(wrong), undefined);
    clock.advance(1_000);
    for (const over of [plant, token]) assert.equal(found(over), undefined);
  });
});

const DER = Buffer.from('3003020101', 'hex');
const BODIES = [
  ['DER', DER],
  ['base64', Buffer.from('MAMCAQE=')],
  ['base64 in lines', Buffer.from('MAMC\r\nAQE=\r\n')],
  ['PEM', Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQE=\n-----END CERTIFICATE REQUEST-----\n')],
] as const;

describe('a body of EST', () => {
  for (const [what, body] of BODIES) it(`is read from ${what}`, () => assert.deepEqual(readDer(body), DER));

  it('is none when it is anything else', () => {
    for (const text of ['', '{}', '<xml/>', 'MAMC-AQE', '-----BEGIN CERTIFICATE REQUEST-----']) assert.equal(readDer(Buffer.from(text)), undefined, text);
  });

  it('is written in lines of 76 characters', () => {
    const lines = writeDer(Buffer.alloc(100, 1)).split('\n');
    assert.deepEqual(
      lines.map(({ length }) => length),
      [76, 60, 0],
    );
  });
});
