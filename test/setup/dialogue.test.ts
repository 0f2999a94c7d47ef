import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemPrograms } from '../../src/host/run-program.ts';
import type { Answers } from '../../src/setup/answers.ts';
import { askAnswers } from '../../src/setup/ask-answers.ts';
import type { Dialogue, Question, Said } from '../../src/setup/dialogue.ts';
import { readAnswers } from '../../src/setup/read-answers.ts';
import { argumentsOf } from '../../src/setup/whiptail.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { BANK, FULL, read, SECRET, SHARED_KEY, SSH_KEY } from './given.ts';

const BACK: Said = { kind: 'back' };
const LEFT: Said = { kind: 'left' };
const AGREED = '';

interface Played {
  readonly answers: Answers | undefined;
  readonly questions: readonly Question[];
  readonly told: readonly string[];
}

/** Plays a person who says these things one after the other. */
async function play(script: readonly (string | Said)[], last?: Answers): Promise<Played> {
  const [questions, told]: [Question[], string[]] = [[], []];
  const left = [...script];
  const dialogue: Dialogue = {
    ask(question) {
      questions.push(question);
      const said = left.shift();
      if (said === undefined) throw new Error(`nothing is said to: ${question.title}, ${question.text}`);
      return Promise.resolve(typeof said === 'string' ? { kind: 'said', text: said } : said);
    },
    tell(title, text) {
      told.push(`${title}: ${text}`);
      return Promise.resolve();
    },
  };
  const raw = await askAnswers(dialogue, last);
  assert.deepEqual(left, [], 'all that was to be said was asked for');
  return { answers: raw && readAnswers(raw), questions, told };
}

const TO_RELAY = ['relay-01.example.org', 'dhcp', '', '', BANK, 'local', 'https://up.example.org:8443', SHARED_KEY, 'public', 'site', 'all', SSH_KEY];

describe('the dialogue', () => {
  it('asks seven things in the simple case, and gives the answers', async () => {
    const { answers, questions } = await play([...TO_RELAY, AGREED]);
    assert.deepEqual(
      answers,
      read({
        name: 'relay-01.example.org',
        address: 'dhcp',
        workspace: {
          id: BANK,
          protocol: 'operational-data',
          endpoint: 'https://up.example.org:8443',
          sharedKey: SHARED_KEY,
          path: { kind: 'public' },
          enrolmentKey: { name: 'site', approve: 'all' },
        },
        sshKeys: [SSH_KEY],
      }),
    );
    assert.equal(new Set(questions.slice(0, -1).map(({ title }) => /^\d of 7/.exec(title)?.[0])).size, 7);
    const summary = questions.at(-1);
    assert.equal(summary?.kind, 'confirm');
    assert.match(summary?.text ?? '', /Workspace id: 1{8}[\s\S]*Shared key: \(given, not shown\)/);
    assert.ok(!summary?.text.includes(SHARED_KEY));
  });

  it('asks for what Azure and a circuit need, and for nothing else', async () => {
    const rule = `dcr-${'0123456789abcdef'.repeat(2)}`;
    const { answers } = await play([
      ...['relay-01', 'static', '10.1.0.5/24', '10.1.0.1', '10.1.0.2, 10.1.0.3', 'time.example.org', BANK, 'azure', 'https://a.ingest.example.org', rule],
      ...['tenant.example.org', 'client', SECRET, 'expressroute', '10.2.0.2', '10.2.0.1', '20.0.0.0/8', '', '', AGREED],
    ]);
    const [workspace] = answers?.workspaces ?? [];
    assert.deepEqual(
      [answers?.address, answers?.gateway, answers?.dns, answers?.ntp],
      ['10.1.0.5/24', '10.1.0.1', ['10.1.0.2', '10.1.0.3'], ['time.example.org']],
    );
    assert.deepEqual(
      [workspace?.ruleId, workspace?.secret, workspace?.path.gateway, workspace?.path.peers, workspace?.enrolmentKey.name],
      [rule, SECRET, '10.2.0.1', ['20.0.0.0/8'], undefined],
    );
  });

  it('tells at once what does not fit, and asks again; a secret is not shown', async () => {
    const { told, answers } = await play(['a name', '', 'relay-01', 'static', '10.1.0.5', '10.1.0.5/24', '', '', '', '', '', AGREED]);
    assert.deepEqual(told, [
      'That does not fit: Please give a host name such as relay-01 or relay-01.example.org, 64 characters at most.',
      'That does not fit: This cannot be left empty.',
      'That does not fit: Please give dhcp, or an address with the length of its network such as 10.1.0.5/24.',
    ]);
    assert.deepEqual(answers, read({ name: 'relay-01', address: '10.1.0.5/24' }));
  });

  it('tells what does not fit together before anything is agreed to, and goes back', async () => {
    const { told, answers } = await play([
      ...['relay-01', 'static', '10.1.0.5/24', '10.2.0.1', '', '', '', ''],
      ...[BACK, BACK, BACK, BACK, '10.1.0.1', '', '', '', '', AGREED],
    ]);
    assert.match(told[0] ?? '', /This does not fit together: .*gateway: found 10\.2\.0\.1; an address in the network/s);
    assert.equal(answers?.gateway, '10.1.0.1');
  });

  it('goes back box by box, past those that are not asked, with what was typed still there', async () => {
    const { questions, answers } = await play(['relay-01', 'dhcp', '10.1.0.2', BACK, BACK, 'dhcp', '10.1.0.2', '', '', '', AGREED]);
    assert.deepEqual(
      questions.slice(0, 7).map(({ title }) => title.slice(0, 6)),
      ['1 of 7', '2 of 7', '3 of 7', '4 of 7', '3 of 7', '2 of 7', '3 of 7'],
    );
    assert.equal((questions[4] as { initial?: string }).initial, '10.1.0.2');
    assert.deepEqual(answers?.dns, ['10.1.0.2']);
  });

  it('what was typed on a way that was not taken in the end counts for nothing', async () => {
    const { answers } = await play([
      ...['relay-01', 'dhcp', '', '', BANK, 'local', '', SHARED_KEY, 'proxy', 'proxy.example.org'],
      ...[BACK, BACK, 'private-link', '', '', AGREED],
    ]);
    assert.deepEqual(answers?.workspaces[0]?.path, read({ name: 'r', workspace: { id: BANK, path: { kind: 'private-link' } } }).workspaces[0]?.path);
  });

  it('left at any box, or at the summary, it gives nothing', async () => {
    assert.equal((await play(['relay-01', LEFT])).answers, undefined);
    assert.equal((await play([...TO_RELAY, LEFT])).answers, undefined);
  });

  it('of an earlier time begins with what was answered, and keeps what no box asks for', async () => {
    const last = read({ ...FULL, sshKeys: undefined });
    const { answers, questions } = await play(
      [
        'relay-02',
        'dhcp',
        '10.1.0.2',
        'time.example.org',
        BANK,
        'azure',
        'https://bank.ingest.example.org',
        FULL.workspaces[0]?.ruleId ?? '',
        'bank.example.org',
        'client',
        '',
        'private-link',
        'bank',
        'none',
        '',
        AGREED,
      ],
      last,
    );
    assert.equal((questions[0] as { initial?: string }).initial, 'relay-02');
    assert.deepEqual([answers?.management, answers?.cacheLimit, answers?.tunnel], [last.management, last.cacheLimit, true]);
    assert.equal(answers?.workspaces.length, 2);
    assert.deepEqual([answers?.workspaces[0]?.trust, answers?.workspaces[0]?.path.addresses], [last.workspaces[0]?.trust, ['20.1.2.3']]);
  });
});

test('no argument of whiptail is taken for an option, and a secret is in none', () => {
  const args = argumentsOf({ kind: 'text', title: 'T', text: '--clear', initial: '--fb' });
  assert.ok(args.indexOf('--') < args.indexOf('--clear'));
  assert.deepEqual(argumentsOf({ kind: 'secret', title: 'T', text: 'The key.' }).slice(-4), ['--', 'The key.', '9', '76']);
});

test('the real whiptail on a terminal of its own: typed, gone back, chosen, agreed to', async (context) => {
  for (const [program, flag] of [
    ['whiptail', '--version'],
    ['script', '--version'],
  ] as const) {
    if ((await systemPrograms.run(program, [flag])).code !== 0) return context.skip(`${program} is not installed here`);
  }
  await using folder = await temporaryFolder();
  const [driver, out] = [join(folder.path, 'driver.ts'), join(folder.path, 'answers.json')];
  const source = (path: string): string => fileURLToPath(new URL(`../../src/setup/${path}`, import.meta.url));
  await writeFile(
    driver,
    `import { writeFileSync } from 'node:fs';
import { askAnswers } from ${JSON.stringify(source('ask-answers.ts'))};
import { whiptail } from ${JSON.stringify(source('whiptail.ts'))};
const raw = await askAnswers(whiptail, undefined);
writeFileSync(${JSON.stringify(`${out}.part`)}, JSON.stringify(raw ?? null));
(await import('node:fs')).renameSync(${JSON.stringify(`${out}.part`)}, ${JSON.stringify(out)});
`,
  );
  const terminal = ['TERM=xterm', 'LINES=24', 'COLUMNS=80', 'script', '--quiet', '--return', '--command', `${process.execPath} ${driver}`, '/dev/null'];
  const child = spawn('env', terminal, { stdio: 'pipe' });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  const [ENTER, TAB] = ['\r', '\t'];
  const at = async (title: RegExp, keys: string): Promise<void> => {
    await eventually(`the box ${title.source}`, () => title.test(screen));
    screen = '';
    child.stdin.write(keys);
  };
  try {
    await at(/Name of this relay/, `relay-01.example.org${ENTER}`);
    await at(/get its address/, ENTER);
    await at(/name servers, with commas/, `${TAB}${TAB}${ENTER}`);
    await at(/get its address/, ENTER);
    await at(/name servers, with commas/, `not an address${ENTER}`);
    await at(/Please give an IP address/, ENTER);
    await at(/name servers, with commas/, ENTER);
    await at(/time servers, with commas/, ENTER);
    await at(/Id \(GUID\)/, `${BANK}${ENTER}`);
    await at(/Where is it/, `\u001b[B${ENTER}`);
    await at(/Address of the relay or local workspace/, ENTER);
    await at(/shared key/, `${SHARED_KEY}${ENTER}`);
    await at(/By which road/, ENTER);
    await at(/Name of the key/, ENTER);
    await at(/need an operator/, ENTER);
    await at(/Public SSH key/, ENTER);
    await at(/Shared key: \(given, not shown\)/, ENTER);
    await eventually('the answers are there', async () => await readFile(out, 'utf8').catch(() => undefined));
  } finally {
    child.kill('SIGKILL');
  }
  assert.deepEqual(
    readAnswers(JSON.parse(await readFile(out, 'utf8')) as never),
    read({
      name: 'relay-01.example.org',
      address: 'dhcp',
      workspace: { id: BANK, protocol: 'operational-data', sharedKey: SHARED_KEY, path: { kind: 'public' }, enrolmentKey: { name: 'site', approve: 'none' } },
    }),
  );
});
