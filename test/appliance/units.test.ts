import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { appliancePlaces } from '../../src/host/places.ts';
import { runProgram } from './run-image-program.ts';

const FILES = fileURLToPath(new URL('../../appliance/files', import.meta.url));
const UNITS = join(FILES, 'etc/systemd/system');
/** systemd's own measure of what a service may do, of ten. */
const MOST_EXPOSURE = 2.0;

const services = readdirSync(UNITS).filter((name) => name.endsWith('.service'));
const textOf = (unit: string): string => readFileSync(join(UNITS, unit), 'utf8');
const valuesOf = (unit: string, name: string): readonly string[] =>
  [...textOf(unit).matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);

const tool = runProgram('systemd-analyze', ['--version']);
const skip = tool.status === 0 ? false : 'systemd-analyze is not installed';

for (const unit of services) {
  test(`${unit} is hardened: an exposure of ${MOST_EXPOSURE} at most`, { skip }, () => {
    const { stdout, stderr } = runProgram('systemd-analyze', ['security', '--offline=true', '--no-pager', join(UNITS, unit)]);
    const score = Number(/Overall exposure level for \S+: (\d+\.\d+)/.exec(stdout)?.[1]);
    assert.ok(score <= MOST_EXPOSURE, `${score}\n${stderr}`);
  });
}

test('no service of ours escapes its sandbox but to make its own folder and to take a note away', () => {
  const escapes = services.flatMap((unit) => [...textOf(unit).matchAll(/^Exec\w+=[-@:!]*\+(\S+)/gm)].map(([, program]) => `${unit} ${program}`));
  assert.deepEqual(escapes.toSorted(), ['relay-redis.service /usr/bin/install', 'relay.service /usr/bin/install', 'relay.service /usr/bin/rm']);
});

test('every program of ours that a unit or a hook runs is in the image, and may be run', () => {
  const named = allFiles(FILES).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\/usr\/local\/(?:bin|sbin|lib\/relay)\/[a-z-]+/g)].map(([program]) => program),
  );
  assert.ok(named.length > 5);
  for (const program of new Set(named)) {
    assert.ok(existsSync(join(FILES, program)), `${program} is not in the image`);
    assert.ok(statSync(join(FILES, program)).mode & 0o100, `${program} may not be run`);
  }
});

test('units and the relay agree on where things are', () => {
  const places = appliancePlaces();
  assert.deepEqual(valuesOf('relay.service', 'ReadWritePaths'), [places.data]);
  assert.deepEqual(valuesOf('relay-redis.service', 'ReadWritePaths'), [places.data]);
  assert.deepEqual(valuesOf('relay.service', 'ConditionPathExists'), [places.configuration]);
  assert.deepEqual(valuesOf('relay-trial.service', 'ConditionPathExists'), [places.trial]);
  assert.deepEqual(valuesOf('relay.service', 'LoadCredentialEncrypted'), [`sealing-key:${join(places.credentials, 'sealing-key')}`]);
  assert.ok(valuesOf('relay-network.path', 'PathChanged').includes(places.configuration));
  assert.match(textOf('relay.service'), new RegExp(`rm -f ${places.problem}$`, 'm'));
});

function allFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? allFiles(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}
