import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { Command } from 'commander';
import { agentsCommand } from '../../src/commands/agents.ts';
import { cacheCommand } from '../../src/commands/cache.ts';
import { deadLettersCommand } from '../../src/commands/dead-letters.ts';
import { enrolmentKeyCommand } from '../../src/commands/enrolment-key.ts';
import { enrolmentTokenCommand } from '../../src/commands/enrolment-token.ts';
import type { Output } from '../../src/commands/output.ts';
import { CommandFailure } from '../../src/commands/output.ts';
import { statusCommand } from '../../src/commands/status.ts';
import type { Environment } from '../../src/configuration/environment.ts';
import type { CreatedKey } from '../../src/control/api.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { createControlRig, DB01, putLetter, STATUS, WEB01 } from '../control/rig.ts';
import { BANK } from '../management-group/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

type MakeCommand = (env: Environment, outputFor: (json: boolean) => Output) => Command;

async function run(make: MakeCommand, socket: string, ...words: string[]): Promise<string> {
  const lines: string[] = [];
  const command = make({}, (json) => ({ json, line: (text) => void lines.push(text) }));
  await command.parseAsync([...words, '--socket', socket], { from: 'user' });
  return lines.join('\n');
}

async function json<T>(make: MakeCommand, socket: string, ...words: string[]): Promise<T> {
  return JSON.parse(await run(make, socket, ...words, '--json')) as T;
}

describe('relay agents', () => {
  it('lists all of them, or those in one state', async () => {
    await using rig = await createControlRig();
    assert.equal((await json<unknown[]>(agentsCommand, rig.socket, 'list')).length, 3);
    assert.deepEqual(await json(agentsCommand, rig.socket, 'list', '--state', 'approved'), []);
    assert.equal(await run(agentsCommand, rig.socket, 'list', '--state', 'approved'), 'No agents.');
    assert.match(await run(agentsCommand, rig.socket, 'list'), new RegExp(`^AGENT +HOST +STATE.*\\n${DB01} +db01 +pending `));
  });

  it('approves and suspends several at once, and shows why', async () => {
    await using rig = await createControlRig();
    assert.equal(await run(agentsCommand, rig.socket, 'approve', 'db01', 'aaaaaaaa'), `${DB01} (db01) is approved.\n${WEB01} (web01.example.org) is approved.`);
    await run(agentsCommand, rig.socket, 'suspend', 'db01', '--reason', 'stolen');
    const { agent } = await json<{ agent: { state: string; stateReason: string } }>(agentsCommand, rig.socket, 'show', 'db01');
    assert.deepEqual([agent.state, agent.stateReason], ['suspended', 'stolen']);
    assert.match(await run(agentsCommand, rig.socket, 'show', 'db01'), /^state {7}suspended since 2026-11-23 00:00:00 \(stolen\)$/m);
  });
});

describe('relay agents', () => {
  const asked: string[] = [];
  const agentsWith =
    (answer: boolean): MakeCommand =>
    (env, outputFor) =>
      agentsCommand(env, outputFor, async (question) => {
        asked.push(question);
        return answer;
      });

  it('lists by pattern, group and silence', async () => {
    await using rig = await createControlRig();
    const listed = async (...words: string[]): Promise<number> => (await json<unknown[]>(agentsCommand, rig.socket, 'list', ...words)).length;
    assert.deepEqual(await Promise.all([listed('--name', 'web*'), listed('--group', 'databases'), listed('--silent-for', '1m')]), [2, 1, 0]);
    rig.group.registry.rename(rig.group.registry.list()[0] ?? assert.fail(), 'ledger');
    assert.match(await run(agentsCommand, rig.socket, 'list', '--name', 'ledger', '--workspace', '1111'), /db01 +pending +ledger /);
  });

  it('approves those that wait by a pattern, or all of them, and no suspended one', async () => {
    await using rig = await createControlRig();
    await run(agentsCommand, rig.socket, 'suspend', WEB01);
    await run(agentsCommand, rig.socket, 'approve', 'web*');
    const states = (): string[] => rig.group.registry.list().map(({ state }) => state);
    assert.deepEqual(states(), ['pending', 'suspended', 'approved']);
    await run(agentsCommand, rig.socket, 'approve', '--all-pending');
    assert.deepEqual(states(), ['approved', 'suspended', 'approved']);
    await assert.rejects(run(agentsCommand, rig.socket, 'approve', '--all-pending'), /No pending agent fits/);
    await assert.rejects(run(agentsCommand, rig.socket, 'approve'), /Name agents, or give --all-pending/);
    await assert.rejects(run(agentsCommand, rig.socket, 'approve', '--all-pending', 'db01'), /Name agents, or give --all-pending/);
  });

  it('removes only when somebody said yes', async () => {
    await using rig = await createControlRig();
    await assert.rejects(run(agentsWith(false), rig.socket, 'remove', 'web*', 'aaaaaaaa'), /Nothing was removed/);
    assert.match(asked.at(-1) ?? '', /^Remove 2 agents \(web01\.example\.org, web02\.example\.org\)\?/);
    assert.equal(rig.group.registry.list().length, 3);
    assert.equal(await run(agentsWith(true), rig.socket, 'remove', 'db01'), `${DB01} (db01) is removed.`);
    await run(agentsWith(false), rig.socket, 'remove', '*', '--yes');
    assert.deepEqual(rig.group.registry.list(), []);
  });

  it('renames and shows everything that is known of an agent', async () => {
    await using rig = await createControlRig();
    assert.equal(await run(agentsCommand, rig.socket, 'rename', 'db01', 'the ledger'), `${DB01} (db01) is called the ledger.`);
    rig.group.registry.received({ workspaceId: BANK, agentId: parseAgentId(DB01), solution: 'Security', body: Buffer.alloc(2048) });
    const shown = await run(agentsCommand, rig.socket, 'show', 'the ledger');
    for (const line of [/^name {8}the ledger$/m, /^groups {6}databases$/m, /^received {4}1 batches, 2KiB$/m, /^solution {4}Security, last 2026-11-23 /m])
      assert.match(shown, line);
    assert.equal(await run(agentsCommand, rig.socket, 'rename', 'db01'), `${DB01} (db01) is called by its host name.`);
    await assert.rejects(run(agentsCommand, rig.socket, 'move', 'db01', '--workspace', BANK), /is in workspace .* already/);
  });
});

describe('relay enrolment-token', () => {
  it('prints a new token once, lists it without its secret, and revokes it', async () => {
    await using rig = await createControlRig();
    const secret = await run(enrolmentTokenCommand, rig.socket, 'create', '--workspace', BANK, '--agent', 'web03', '--expires', '36500d');
    assert.match(secret, /^[\w-]{43}$/);
    const listed = await run(enrolmentTokenCommand, rig.socket, 'list');
    assert.match(listed, /^ID +FOR +WORKSPACE.*\n[0-9a-f]{12} +web03 .* usable /);
    assert.ok(!listed.includes(secret));
    assert.equal(await run(enrolmentTokenCommand, rig.socket, 'revoke', 'web03'), 'The one-time token web03 is revoked.');
    assert.match(await run(enrolmentTokenCommand, rig.socket, 'list'), / revoked /);
  });
});

describe('relay cache', () => {
  const asked: string[] = [];
  const cacheWith =
    (answer: boolean): MakeCommand =>
    (env, outputFor) =>
      cacheCommand(env, outputFor, async (question) => {
        asked.push(question);
        return answer;
      });

  it('shows what waits for each workspace', async () => {
    await using rig = await createControlRig();
    const shown = await run(cacheWith(false), rig.socket, 'status');
    assert.match(shown, /^WORKSPACE +STATE +SINCE +NEXT TRY +BATCHES/);
    assert.match(shown, /\nthe bank +held +2026-11-23 00:00:00 +2026-11-23 00:08:00 +0 +0 +2026-11-23 00:00:00 +HTTP 503/);
    assert.deepEqual(await json(cacheWith(false), rig.socket, 'status', '--workspace', 'the bank'), STATUS.cache.workspaces);
  });

  it('tries now, pauses and resumes the workspaces named, or all', async () => {
    await using rig = await createControlRig();
    assert.equal(await run(cacheWith(false), rig.socket, 'retry-now'), 'the bank: tried now.');
    await run(cacheWith(false), rig.socket, 'pause', '--workspace', BANK.slice(0, 8));
    await run(cacheWith(false), rig.socket, 'resume', '--workspace', 'the bank');
    assert.deepEqual(rig.orders, [
      ['retryNow', BANK],
      ['pause', BANK, true],
      ['pause', BANK, false],
    ]);
    await assert.rejects(run(cacheWith(false), rig.socket, 'pause', '--workspace', 'the plant'), /"the plant" fits no workspace of this relay: the bank/);
  });

  it('purges only when somebody said yes', async () => {
    await using rig = await createControlRig();
    await assert.rejects(run(cacheWith(false), rig.socket, 'purge'), /Nothing was deleted/);
    assert.match(asked.at(-1) ?? '', /for good:\nthe bank: 0 batches/);
    assert.equal(rig.orders.length, 0);
    const before = Date.now();
    assert.match(await run(cacheWith(true), rig.socket, 'purge', '--older-than', '1h', '--kind', 'Performance'), /^2 batches \(20B\) were deleted/);
    assert.deepEqual(await json(cacheWith(false), rig.socket, 'purge', '--yes', '--data-type', 'DEMO_BLOB'), { batches: 2, bytes: 20 });
    const [first, second] = rig.orders.map(([, id, what]) => ({ id, ...(what as { before: number; kind?: string; dataType?: string }) }));
    assert.deepEqual([first?.id, first?.kind, second?.dataType], [BANK, 'Performance', 'DEMO_BLOB']);
    assert.ok(first && first.before >= before - 3_600_000 && first.before <= Date.now() - 3_600_000);
  });
});

describe('relay enrolment-key', () => {
  it('prints a new key once, and nothing but the key', async () => {
    await using rig = await createControlRig();
    const printed = await run(enrolmentKeyCommand, rig.socket, 'create', '--workspace', BANK, '--name', 'site');
    assert.match(printed, /^[A-Za-z0-9+/]{86}==$/);
    const [listed] = await json<{ name: string }[]>(enrolmentKeyCommand, rig.socket, 'list');
    assert.equal(listed?.name, 'site');
    assert.ok(!JSON.stringify(listed).includes(printed));
  });

  it('writes a key to a new file that only its owner may read, and never over another', async () => {
    await using rig = await createControlRig();
    const path = join(rig.folder, 'site.key');
    const said = await run(enrolmentKeyCommand, rig.socket, 'create', '--workspace', BANK, '--name', 'site', '--out', path);
    assert.equal(said, `The enrolment key site is in ${path}.`);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.match(await readFile(path, 'utf8'), /^[A-Za-z0-9+/]{86}==\n$/);
    await assert.rejects(run(enrolmentKeyCommand, rig.socket, 'create', '--workspace', BANK, '--name', 'other', '--out', path), CommandFailure);
  });

  it('takes the key that agents have already from a file, and does not print it', async () => {
    await using rig = await createControlRig();
    const path = join(rig.folder, 'given.key');
    const key = Buffer.alloc(64, 7).toString('base64');
    await writeFile(path, `${key}\n`, { mode: 0o600 });
    const said = await run(enrolmentKeyCommand, rig.socket, 'create', '--workspace', BANK, '--name', 'site', '--key-file', path);
    assert.equal(said, `The enrolment key site was taken from ${path}.`);
    assert.equal(rig.group.enrolmentKeys.usable(BANK)[0]?.key.toString('base64'), key);
  });

  it('shows how many uses a key has left', async () => {
    await using rig = await createControlRig();
    const { enrolmentKey } = await json<CreatedKey>(enrolmentKeyCommand, rig.socket, 'create', '--workspace', BANK, '--name', 'two', '--uses', '2');
    rig.group.enrolmentKeys.countUse(enrolmentKey.id);
    assert.match(await run(enrolmentKeyCommand, rig.socket, 'list'), /two .* usable +1 +1 /);
    rig.group.enrolmentKeys.countUse(enrolmentKey.id);
    assert.match(await run(enrolmentKeyCommand, rig.socket, 'list'), /two .* used up +2 +0 /);
  });

  it('lets a key expire, and revokes one', async () => {
    await using rig = await createControlRig();
    const { enrolmentKey } = await json<CreatedKey>(enrolmentKeyCommand, rig.socket, 'create', '--workspace', BANK, '--name', 'site', '--expires', '7d');
    assert.ok(enrolmentKey.expiresAt && Math.abs(enrolmentKey.expiresAt - Date.now() - 7 * 86_400_000) < 60_000);
    assert.equal(await run(enrolmentKeyCommand, rig.socket, 'revoke', 'site'), 'The enrolment key site is revoked.');
    assert.match(await run(enrolmentKeyCommand, rig.socket, 'list'), / revoked /);
  });
});

describe('relay dead-letters', () => {
  it('lists them, and shows one with its content inflated', async () => {
    await using rig = await createControlRig();
    assert.equal(await run(deadLettersCommand, rig.socket, 'list'), 'No dead letters.');
    const { id } = await putLetter(rig, deflateSync('{"Message":"hello"}'));
    const [listed] = await json<{ id: string }[]>(deadLettersCommand, rig.socket, 'list');
    assert.equal(listed?.id, id);
    assert.match(await run(deadLettersCommand, rig.socket, 'show', id), /\nheader {5}x-ms-azureregion: OnPremise\n\n\{"Message":"hello"\}$/);
  });

  it('shows what cannot be inflated in hexadecimal', async () => {
    await using rig = await createControlRig();
    const { id } = await putLetter(rig, Buffer.from([0xde, 0xad]));
    assert.match(await run(deadLettersCommand, rig.socket, 'show', id), /\(not deflate; 2 bytes in hexadecimal\)\ndead$/);
  });

  it('lists all, however many, or those of a workspace and a data type', async () => {
    await using rig = await createControlRig();
    for (let at = 0; at < 520; at += 1) await putLetter(rig, Buffer.alloc(1), at < 3 ? 'RARE' : 'COMMON');
    assert.equal((await json<unknown[]>(deadLettersCommand, rig.socket, 'list')).length, 520);
    assert.equal((await json<unknown[]>(deadLettersCommand, rig.socket, 'list', '--workspace', BANK.slice(0, 8), '--data-type', 'RARE')).length, 3);
    assert.deepEqual(await json(deadLettersCommand, rig.socket, 'list', '--workspace', 'ffff'), []);
  });

  it('sends them again: the named ones, or all that fit', async () => {
    await using rig = await createControlRig();
    const letters = [await putLetter(rig, Buffer.from('1'), 'A'), await putLetter(rig, Buffer.from('2'), 'A'), await putLetter(rig, Buffer.from('3'), 'B')];
    assert.equal(await run(deadLettersCommand, rig.socket, 'replay', letters[0]?.id ?? ''), '1 of 1 dead letters were sent again.');
    assert.deepEqual(rig.stored, letters.slice(0, 1));
    assert.equal(await run(deadLettersCommand, rig.socket, 'replay', '--all', '--data-type', 'A'), '1 of 1 dead letters were sent again.');
    assert.deepEqual(
      rig.stored.map(({ id }) => id),
      letters.slice(0, 2).map(({ id }) => id),
    );
    assert.equal((await rig.deadLetters.list()).length, 1);
  });

  it('keeps what the cache does not take, and says why', async () => {
    await using rig = await createControlRig();
    const { id } = await putLetter(rig, Buffer.from('1'), 'TOO_MUCH');
    await assert.rejects(run(deadLettersCommand, rig.socket, 'replay', '--all'), { exitCode: 1, message: `${id}: The cache is full.` });
    assert.equal((await rig.deadLetters.list()).length, 1);
    await assert.rejects(run(deadLettersCommand, rig.socket, 'replay', 'x'), { exitCode: 1, message: 'x: there is no such dead letter' });
  });

  it('does nothing unless it is said to which, and discards nothing unasked', async () => {
    await using rig = await createControlRig();
    const { id } = await putLetter(rig, Buffer.from('1'));
    for (const words of [['replay'], ['replay', id, '--all'], ['discard', '--data-type', 'A'], ['export', id, '--workspace', BANK]]) {
      await assert.rejects(run(deadLettersCommand, rig.socket, ...words), { exitCode: 2, message: /^Say which/ }, words.join(' '));
    }
    const asked: string[] = [];
    const hesitant: MakeCommand = (env, outputFor) =>
      deadLettersCommand(env, outputFor, async (question) => {
        asked.push(question);
        return false;
      });
    await assert.rejects(run(hesitant, rig.socket, 'discard', id), { exitCode: 1, message: /^Nothing was discarded/ });
    assert.deepEqual(asked, ['Delete 1 dead letters for good?']);
    assert.equal((await rig.deadLetters.list()).length, 1);
    assert.equal(await run(deadLettersCommand, rig.socket, 'discard', id, '--yes'), '1 of 1 dead letters were discarded.');
    assert.deepEqual(await rig.deadLetters.list(), []);
  });

  it('exports them inflated, to standard output or to a new file; what is not what it says goes out in base64', async () => {
    await using rig = await createControlRig();
    const { id } = await putLetter(rig, deflateSync('{"Message":"hello"}'));
    assert.equal(await run(deadLettersCommand, rig.socket, 'export', id), '{"Message":"hello"}');
    const broken = await putLetter(rig, Buffer.from([0xde, 0xad]));
    const path = join(rig.folder, 'letters.json');
    assert.equal(await run(deadLettersCommand, rig.socket, 'export', id, broken.id, '--out', path), `2 dead letters are in ${path}.`);
    assert.equal(await readFile(path, 'utf8'), `{"Message":"hello"}\n${JSON.stringify({ id: broken.id, encoding: 'deflate', body: '3q0=' })}\n`);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await assert.rejects(run(deadLettersCommand, rig.socket, 'export', id, '--out', path), CommandFailure);
    assert.equal((await rig.deadLetters.list()).length, 2);
  });
});

describe('relay status', () => {
  it('prints what the relay says, and for people what is not well first of all', async () => {
    await using rig = await createControlRig();
    assert.deepEqual(await json(statusCommand, rig.socket), STATUS);
    const text = await run(statusCommand, rig.socket);
    assert.match(
      text,
      /^relay 1\.2\.3, ready, running since 2026-11-23 00:00:00 \(pid 42\); 1 to act on\n\nACT {3}the bank: NOT REACHABLE, data is held since /,
    );
    assert.match(text, /, next try 2026-11-23 00:08:00 \(HTTP 503\) → relay doctor --workspace 'the bank'\n/);
    assert.match(text, /\nWORKSPACE +STATE +PATH .*\nthe bank +HELD +- /);
    assert.doesNotMatch(text, /in batches since/);
    assert.match(await run(statusCommand, rig.socket, '--balance'), /\n\nthe bank: nothing has come since the relay started\.$/);
  });

  it('finds the socket by the configuration when none is given', async () => {
    await using folder = await temporaryFolder();
    const socket = join(folder.path, 'own.sock');
    const key = join(folder.path, 'shared.key');
    const file = join(folder.path, 'relay.yaml');
    await writeFile(key, 'x', { mode: 0o600 });
    await writeFile(file, `control: { socket: ${socket} }\nworkspaces: [{ id: ${BANK}, sharedKeyFile: ${key} }]\n`);
    const command = statusCommand({}, () => ({ json: true, line: () => {} }));
    await assert.rejects(command.parseAsync(['--config', file], { from: 'user' }), { code: 'relay.control.not-running', message: new RegExp(socket) });
  });
});
