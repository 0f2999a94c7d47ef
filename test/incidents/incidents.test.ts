import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { MAX_ENTRIES } from '../../src/incidents/incident-store.ts';
import { AWAY, BAD_TOKEN, BANK, createRecordingChannel, createRig, HOUR, KEY_TAKEN, MINUTE, type Rig, reported, SENT, START, turns } from './rig.ts';

const DAY = 24 * HOUR;

function whatsOf({ incidents }: Rig, id = '1'): string[] {
  return (incidents.show(id) ?? assert.fail('no incident')).timeline.map(({ what, text }) => `${what}: ${text}`);
}

describe('reports', () => {
  test('of the same source, kind and subject are one incident; of another they are another', async () => {
    await using rig = await createRig();
    const { incidents } = rig;
    for (const event of [KEY_TAKEN, KEY_TAKEN, { ...KEY_TAKEN, subject: 'another key' }, { ...KEY_TAKEN, source: 'relay' as const }]) incidents.report(event);
    const found = incidents.list();
    assert.deepEqual(
      found.map(({ id, subject, count }) => [id, subject, count]),
      [
        ['INC-0003', 'vault/bank', 1],
        ['INC-0002', 'another key', 1],
        ['INC-0001', 'vault/bank', 2],
      ],
    );
    assert.deepEqual(incidents.openBySeverity(), { info: 0, warn: 0, error: 3 });
  });

  test('of what counts only in number make an incident from the threshold on', async () => {
    await using rig = await createRig({ thresholds: { badTokens: 20, within: '10m' } });
    rig.incidents.report({ ...BAD_TOKEN, count: 19 });
    assert.deepEqual(rig.incidents.list(), []);
    await rig.pass(11 * MINUTE);
    rig.incidents.report({ ...BAD_TOKEN, count: 19 });
    assert.deepEqual(rig.incidents.list(), [], 'what came eleven minutes before is forgotten');
    rig.incidents.report(BAD_TOKEN);
    assert.equal(rig.incidents.list()[0]?.count, 20);
    rig.incidents.report(BAD_TOKEN);
    assert.equal(rig.incidents.list()[0]?.count, 21, 'one more adds to it');
  });

  test('come in a flood without a line, a write or a notice for each', async () => {
    const channel = createRecordingChannel();
    await using rig = await createRig({}, [channel]);
    for (let at = 0; at < 50_000; at += 1) rig.incidents.report({ ...KEY_TAKEN, detail: `number ${at}` });
    await turns();
    const { incident, timeline } = rig.incidents.show('1') ?? assert.fail();
    assert.deepEqual([incident.count, incident.detail, timeline.length], [50_000, 'number 49999', 2]);
    assert.equal(channel.sent.length, 1);
  });

  test('never throw, whatever they hold, and leave the record readable', async () => {
    await using rig = await createRig({}, [createRecordingChannel()]);
    const sizes = [0, 1, 199, 200, 201, 5_000, 1_000_000];
    const fillings = ['x', '\u0000', '\n', '💥', '\ud800', "'; DROP TABLE incidents; --", '</script>', 'password=hunter2 '];
    for (const size of sizes) {
      for (const filling of fillings) {
        const text = filling.repeat(Math.ceil(size / filling.length)).slice(0, size);
        rig.incidents.report({ ...KEY_TAKEN, subject: text, detail: text, actor: text, count: size });
      }
    }
    for (const strange of [
      undefined,
      null,
      1,
      {},
      {
        get source(): never {
          throw new Error('no');
        },
      },
    ])
      rig.incidents.report(strange as never);
    for (const { subject, detail } of rig.incidents.list({ limit: 1_000 })) {
      assert.ok(subject.length <= 200 && detail.length <= 500);
      assert.ok(!/\p{Cc}|hunter2/u.test(subject + detail));
    }
    assert.ok(rig.lines.every((line) => line.length < 5_000));
  });

  test('about ever other subjects do not make ever more incidents', async () => {
    await using rig = await createRig();
    for (let at = 0; at < 500; at += 1) rig.incidents.report({ ...KEY_TAKEN, subject: `key ${at}` });
    const found = rig.incidents.list({ limit: 1_000 });
    assert.equal(found.length, 101);
    assert.deepEqual([found[0]?.subject, found[0]?.count], ['others', 400]);
  });

  test('after the close are logged, not thrown', async () => {
    const rig = await createRig();
    await rig.incidents.close();
    rig.incidents.report(KEY_TAKEN);
    assert.match(rig.lines.join(''), /after the record was closed/);
  });
});

describe('the time line', () => {
  test('tells who did what when, from detection to the end', async () => {
    await using rig = await createRig({}, [createRecordingChannel()]);
    await reported(rig, { ...KEY_TAKEN, actor: 'ops' });
    rig.clock.advance(MINUTE);
    rig.incidents.change('INC-0001', { state: 'assessed', comment: 'Looking at the vault.', actor: 'anna' });
    await reported(rig, { ...KEY_TAKEN, isOver: true, detail: 'The key is there again.' });
    rig.incidents.change('1', { state: 'closed', comment: 'The vault was restarted.', actor: 'anna' });
    await turns();
    const { timeline, incident } = rig.incidents.show('inc-1') ?? assert.fail();
    assert.deepEqual(
      timeline.map(({ who, what, text }) => [who, what, text]),
      [
        ['ops', 'detected', KEY_TAKEN.detail],
        ['system', 'sent', 'webhook, detected: taken'],
        ['anna', 'assessed', 'Looking at the vault.'],
        ['system', 'contained', 'The key is there again.'],
        ['system', 'sent', 'webhook, contained: taken'],
        ['anna', 'closed', 'The vault was restarted.'],
        ['system', 'sent', 'webhook, closed: taken'],
      ],
    );
    assert.deepEqual([timeline[0]?.at, incident.state], [START, 'closed']);
  });

  test('is bounded however often something happens, and still has every change of the state', async () => {
    await using rig = await createRig({ remindAfter: '10m' }, [createRecordingChannel()]);
    await reported(rig, KEY_TAKEN);
    await rig.pass(DAY);
    for (let at = 0; at < 300; at += 1) rig.incidents.report({ ...KEY_TAKEN, isOver: at % 2 === 0 });
    await rig.pass(8 * DAY);
    rig.incidents.change('1', { state: 'closed', comment: 'done', actor: 'anna' });
    const { timeline } = rig.incidents.show('1') ?? assert.fail();
    assert.ok(timeline.length <= MAX_ENTRIES + 3, `${timeline.length}`);
    assert.ok(timeline.some(({ what }) => what === 'closed'));
  });

  test('cannot be changed or shortened with another program either', async () => {
    await using rig = await createRig();
    rig.incidents.report(KEY_TAKEN);
    rig.incidents.list();
    await rig.incidents.close();
    using database = new DatabaseSync(rig.path);
    for (const sql of [
      "UPDATE timeline SET text = ''",
      'DELETE FROM timeline',
      "REPLACE INTO timeline SELECT seq, incident, at, who, what, '' FROM timeline",
      'DELETE FROM incidents',
    ])
      assert.throws(() => database.exec(sql), /only added to|only when it is closed/, sql);
    database.close();
    await rig.restart();
    assert.deepEqual(whatsOf(rig), [`detected: ${KEY_TAKEN.detail}`]);
  });
});

describe('people', () => {
  test('hear of an incident once, whatever is repeated, and again when nobody has looked at it for four hours', async () => {
    const channel = createRecordingChannel();
    await using rig = await createRig({}, [channel]);
    await reported(rig, KEY_TAKEN, KEY_TAKEN, KEY_TAKEN);
    await rig.pass(4 * HOUR - MINUTE);
    assert.deepEqual(
      channel.sent.map(({ occasion }) => occasion),
      ['detected'],
    );
    await rig.pass(2 * MINUTE);
    assert.deepEqual(
      channel.sent.map(({ occasion }) => occasion),
      ['detected', 'reminder'],
    );
    await rig.pass(8 * HOUR);
    assert.equal(channel.sent.length, 4);
    rig.incidents.change('1', { state: 'assessed', comment: 'seen', actor: 'anna' });
    await rig.pass(24 * HOUR);
    assert.equal(channel.sent.length, 4, 'nobody is reminded of what is being looked at, and assessing is not told');
  });

  test('hear of it again at ten times, and when it becomes worse', async () => {
    const channel = createRecordingChannel();
    await using rig = await createRig({}, [channel]);
    const lost = { ...KEY_TAKEN, kind: 'data-lost', severity: 'warn' } as const;
    await reported(rig, lost, { ...lost, count: 8 }, lost, { ...lost, severity: 'error' }, lost);
    assert.deepEqual(
      channel.sent.map(({ occasion, incident }) => [occasion, incident.count, incident.severity]),
      [
        ['detected', 1, 'warn'],
        ['repeated', 10, 'warn'],
        ['repeated', 11, 'error'],
      ],
    );
  });

  test('do not hear of what is less than notifyFrom, until it is', async () => {
    const channel = createRecordingChannel();
    await using rig = await createRig({ notifyFrom: 'error' }, [channel]);
    const warn = { ...KEY_TAKEN, severity: 'warn' } as const;
    await reported(rig, warn, { ...warn, count: 500 });
    await rig.pass(24 * HOUR);
    assert.deepEqual(channel.sent, []);
    await reported(rig, KEY_TAKEN);
    assert.deepEqual(
      channel.sent.map(({ text }) => text),
      ['the severity rose from warn to error'],
    );
  });

  test('hear that a key was given back, and when it is taken away again', async () => {
    const channel = createRecordingChannel();
    await using rig = await createRig({}, [channel]);
    const back = { ...KEY_TAKEN, isOver: true, detail: 'The key is there again.' };
    await reported(rig, { ...back, subject: 'never taken' }, KEY_TAKEN, back, back);
    await rig.pass(15 * MINUTE);
    await reported(rig, KEY_TAKEN, KEY_TAKEN, back, KEY_TAKEN);
    assert.deepEqual(
      channel.sent.map(({ occasion, text }) => [occasion, text]),
      [
        ['detected', KEY_TAKEN.detail],
        ['contained', 'The key is there again.'],
        ['repeated', 'it came back after it was contained'],
      ],
    );
    const { incident } = rig.incidents.show('1') ?? assert.fail();
    assert.deepEqual([incident.state, incident.count, rig.incidents.list().length], ['contained', 4, 1]);
  });

  test('read in a new incident which closed one came before it', async () => {
    const channel = createRecordingChannel();
    await using rig = await createRig({}, [channel]);
    await reported(rig, KEY_TAKEN);
    rig.incidents.change('1', { state: 'closed', comment: 'mended', actor: 'anna' });
    await reported(rig, KEY_TAKEN);
    assert.deepEqual([channel.sent[2]?.incident.id, channel.sent[2]?.incident.earlier], ['INC-0002', 'INC-0001']);
    assert.match(whatsOf(rig, '2')[0] ?? '', /before it: INC-0001/);
    assert.equal(rig.incidents.show('1')?.incident.state, 'closed');
  });
});

describe('a channel that is away', () => {
  test('for three hours gets each notice once when it is back, and the time line says both', async () => {
    const channel = createRecordingChannel();
    channel.answer = AWAY;
    await using rig = await createRig({}, [channel]);
    await reported(rig, KEY_TAKEN);
    await rig.pass(3 * HOUR);
    assert.ok(channel.tries > 10 && channel.tries < 25, `${channel.tries} tries`);
    channel.answer = SENT;
    await rig.pass(30 * MINUTE);
    assert.equal(channel.sent.length, 1);
    const lines = whatsOf(rig).slice(1);
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^not-sent: webhook, detected: hooks.example.org: nobody answers\. It is tried again for a day$/);
    assert.match(lines[1] ?? '', /^sent: webhook, detected: taken at try \d+$/);
  });

  test('does not hold the other one up', async () => {
    const [webhook, mail] = [createRecordingChannel('webhook'), createRecordingChannel('mail')];
    webhook.answer = AWAY;
    await using rig = await createRig({}, [webhook, mail]);
    await reported(rig, KEY_TAKEN);
    rig.incidents.change('1', { state: 'closed', comment: 'mended', actor: 'anna' });
    await turns();
    assert.deepEqual([webhook.sent.length, mail.sent.map(({ occasion }) => occasion)], [0, ['detected', 'closed']]);
  });

  test('that refuses one notice for what it is still gets the next', async () => {
    const channel = createRecordingChannel();
    channel.answer = { outcome: 'failed', reason: 'hooks.example.org: it answered 400', concerns: 'notice' };
    await using rig = await createRig({}, [channel]);
    await reported(rig, KEY_TAKEN);
    channel.answer = SENT;
    await reported(rig, { ...KEY_TAKEN, subject: 'another' });
    assert.deepEqual(
      channel.sent.map(({ incident }) => incident.id),
      ['INC-0002'],
    );
    await rig.pass(2 * MINUTE);
    assert.equal(channel.sent.length, 2);
  });

  test('for more than a day loses the notice, and the time line says so', async () => {
    const channel = createRecordingChannel();
    channel.answer = AWAY;
    await using rig = await createRig({ remindAfter: '7d' }, [channel]);
    await reported(rig, KEY_TAKEN);
    await rig.pass(25 * HOUR);
    channel.answer = SENT;
    await rig.pass(HOUR);
    assert.equal(channel.sent.length, 0);
    assert.match(whatsOf(rig).at(-1) ?? '', /^given-up: webhook, detected: not taken within a day, at try \d+: hooks/);
  });

  test('gets after a restart what was not sent before, under the same delivery', async () => {
    const channel = createRecordingChannel();
    channel.answer = AWAY;
    await using rig = await createRig({}, [channel]);
    await reported(rig, KEY_TAKEN);
    await rig.restart();
    channel.answer = SENT;
    await rig.restart();
    await rig.pass(HOUR);
    await rig.restart();
    await rig.pass(HOUR);
    assert.equal(channel.sent.length, 1);
    assert.match(channel.sent[0]?.delivery ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });

  test('and is in the middle of a notice at the stop is cut off, and gets it after the next start', async () => {
    const channel = createRecordingChannel();
    const { send } = channel;
    channel.send = (_notice, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve({ outcome: 'failed', reason: 'cut off', concerns: 'channel' })));
    await using rig = await createRig({}, [channel]);
    await reported(rig, KEY_TAKEN);
    const stopped = rig.incidents.close(5_000);
    rig.clock.advance(5_000);
    await stopped;
    channel.send = send;
    await rig.restart();
    assert.equal(channel.sent.length, 1);
    assert.deepEqual(whatsOf(rig).slice(1), ['sent: webhook, detected: taken'], 'a stop is no failure');
  });

  test('and is not configured any more loses its notices, and the time line says so', async () => {
    const channel = createRecordingChannel();
    channel.answer = AWAY;
    const channels = [channel];
    await using rig = await createRig({}, channels);
    await reported(rig, KEY_TAKEN);
    channels.pop();
    await rig.restart();
    assert.match(whatsOf(rig).at(-1) ?? '', /^given-up: webhook, detected: it is not configured any more$/);
  });
});

describe('the record', () => {
  test('survives a restart, in a file for its owner alone', async () => {
    await using rig = await createRig();
    rig.incidents.report(KEY_TAKEN);
    await rig.restart();
    const before = rig.incidents.show('1');
    assert.equal(before?.incident.detail, KEY_TAKEN.detail, 'the close has written what was reported just before');
    assert.equal((await stat(rig.path)).mode & 0o777, 0o600);
    rig.incidents.report(KEY_TAKEN);
    assert.equal(rig.incidents.list()[0]?.count, 2, 'and a repeat still belongs to it');
  });

  test('keeps closed incidents for 730 days and then forgets them; those that are open stay', async () => {
    await using rig = await createRig();
    rig.incidents.report(KEY_TAKEN);
    rig.incidents.report({ ...KEY_TAKEN, subject: 'open' });
    rig.incidents.change('1', { state: 'closed', comment: 'mended', actor: 'anna' });
    rig.clock.advance(730 * DAY - HOUR);
    await rig.pass(2 * MINUTE);
    assert.equal(rig.incidents.list().length, 2);
    await rig.pass(2 * HOUR);
    assert.deepEqual(
      rig.incidents.list().map(({ id }) => id),
      ['INC-0002'],
    );
    assert.equal(rig.incidents.show('1'), undefined);
    rig.incidents.report(KEY_TAKEN);
    assert.equal(rig.incidents.list()[0]?.id, 'INC-0003', 'a number is never given twice');
  });

  test('that is damaged is moved aside and said, and a new one begins', async () => {
    await using rig = await createRig();
    await rig.incidents.close();
    await writeFile(rig.path, 'this is no database, but it is long enough to be taken for one by its size alone'.repeat(50));
    await rig.restart();
    rig.incidents.report(KEY_TAKEN);
    assert.equal(rig.incidents.list().length, 1);
    assert.match(await readFile(`${rig.path}.damaged`, 'utf8'), /^this is no database/);
    assert.match(rig.lines.join(''), /moved to .*damaged/);
  });

  test('of a newer release is left alone', async () => {
    await using rig = await createRig();
    await rig.incidents.close();
    using database = new DatabaseSync(rig.path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await assert.rejects(rig.restart(), { code: 'relay.incidents.newer-file', message: /layout 99/ });
    using again = new DatabaseSync(rig.path);
    again.exec('PRAGMA user_version = 1');
    again.close();
    await rig.restart();
  });

  test('lists what is asked for', async () => {
    await using rig = await createRig();
    await reported(rig, KEY_TAKEN, { ...BAD_TOKEN, count: 20 });
    rig.incidents.change('1', { state: 'closed', comment: 'mended', actor: 'anna' });
    const ids = (filter: object) => rig.incidents.list(filter).map(({ id }) => id);
    assert.deepEqual(ids({ open: true }), ['INC-0002']);
    assert.deepEqual(ids({ state: 'closed' }), ['INC-0001']);
    assert.deepEqual(ids({ kind: 'bad-tokens' }), ['INC-0002']);
    assert.deepEqual(ids({ source: `workspace ${BANK}` }), ['INC-0001']);
    assert.deepEqual(ids({ severity: 'error', since: START + DAY }), []);
    assert.deepEqual(ids({ limit: 1 }), ['INC-0002']);
  });

  test('refuses a step back, and an incident that is not there', async () => {
    await using rig = await createRig();
    rig.incidents.report(KEY_TAKEN);
    const change = (id: string, state: 'assessed' | 'contained') => rig.incidents.change(id, { state, comment: 'x', actor: 'anna' });
    assert.equal(change('1', 'contained').outcome, 'changed');
    const refused = change('1', 'assessed');
    assert.ok(refused.outcome === 'refused');
    assert.match(refused.why, /^INC-0001: It is contained, and an incident never goes back to assessed/);
    assert.equal(change('2', 'assessed').outcome, 'unknown');
    assert.equal(change('../1', 'assessed').outcome, 'unknown');
  });
});
