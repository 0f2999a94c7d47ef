/** What must hold in every machine that runs. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Ssh } from './ssh.ts';

/** systemd's own measure of what a service may do, of ten. */
const MOST_EXPOSURE = 2.0;
const PORTS = new URL('../ports.txt', import.meta.url);
const ALL_PORTS = 65_535;
const AT_ONCE = 2_000;
const ANSWER_MS = 5_000;

export async function nothingFailed(ssh: Ssh): Promise<void> {
  const failed = await ssh.root('systemctl --failed --plain --no-legend --no-pager');
  assert.equal(failed.trim(), '', 'units have failed');
}

/** The scores of all services of ours, the worst first. Rejects when one is above two. */
export async function unitsAreHardened(ssh: Ssh): Promise<readonly string[]> {
  const units = (await ssh.root("systemctl list-unit-files --type=service --no-legend --plain 'relay*' | cut -d' ' -f1")).trim().split('\n');
  const lines = (await ssh.root(`systemd-analyze security --no-pager ${units.join(' ')} | grep 'Overall exposure level'`, 600_000)).trim().split('\n');
  const scores = lines.map((line) => /level for (\S+): (\d+\.\d+)/.exec(line)).map((found) => ({ unit: found?.[1] ?? '', score: Number(found?.[2]) }));
  assert.equal(scores.length, units.length, `only ${scores.length} of ${units.length} units were judged`);
  const sorted = scores.toSorted((one, other) => other.score - one.score);
  for (const { unit, score } of sorted) assert.ok(score <= MOST_EXPOSURE, `${unit} has an exposure of ${score}; at most ${MOST_EXPOSURE}`);
  return sorted.map(({ unit, score }) => `${score.toFixed(1)} ${unit}`);
}

/** What ports.txt lists, with other addresses where a scenario configures them. */
export async function listedPorts(instead: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const lines = (await readFile(PORTS, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(/\s+/)[0] ?? '').map((listed) => instead[listed] ?? listed);
}

export async function onlyListedPortsListen(ssh: Ssh, listed: readonly string[]): Promise<void> {
  const found = (await ssh.root('ss -Hltn'))
    .trim()
    .split('\n')
    .map((line) => (line.trim().split(/\s+/)[3] ?? '').replace(/%[^:]+/, ''));
  assert.deepEqual(found.toSorted(), listed.toSorted());
}

/** Which of all ports of an address take connections, by trying each. */
export async function portsThatAnswer(address: string): Promise<readonly number[]> {
  const open: number[] = [];
  let next = 1;
  const work = async (): Promise<void> => {
    for (let port = next++; port <= ALL_PORTS; port = next++) if (await answers(address, port)) open.push(port);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return open.sort((one, other) => one - other);
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answered: boolean) => (): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(ANSWER_MS, end(false));
    socket.on('connect', end(true));
    socket.on('error', end(false));
  });
}
