import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Notice } from '../../src/incidents/notice.ts';
import { isSignedBy } from '../../src/incidents/webhook-signature.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createIdentity, type Hook, type Identity, MAIL_PASSWORD, MAIL_USER, type Mailbox, startHook, startMailbox } from './receivers.ts';
import { BANK, createRig, HOUR, KEY_TAKEN, MINUTE, type Rig, START, turns } from './rig.ts';

const SECRET = 'a secret that only the two of us know';

interface Ground extends AsyncDisposable, Identity {
  readonly folder: string;
  readonly secretFile: string;
  readonly passwordFile: string;
}

async function createGround(): Promise<Ground> {
  const folder = await temporaryFolder();
  const [secretFile, passwordFile] = [join(folder.path, 'hook.secret'), join(folder.path, 'mail.password')];
  for (const [path, secret] of [
    [secretFile, SECRET],
    [passwordFile, MAIL_PASSWORD],
  ] as const)
    await writeFile(path, `${secret}\n`, { mode: 0o600 });
  return { ...(await createIdentity(folder.path)), folder: folder.path, secretFile, passwordFile, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const webhookTo = ({ port }: Pick<Hook, 'port'>, { secretFile, trustFile }: Ground, more: object = {}) => ({
  webhook: { url: `https://127.0.0.1:${port}/hook/path-token`, secretFile, trustFile, ...more },
});

const mailTo = ({ port }: Pick<Mailbox, 'port'>, { passwordFile, trustFile }: Ground, more: object = {}) => ({
  mail: { host: '127.0.0.1', port, user: MAIL_USER, passwordFile, trustFile, from: 'relay@example.org', to: ['ops@example.org', 'soc@example.org'], ...more },
});

function linesOf({ incidents }: Rig, id = '1'): string[] {
  return (incidents.show(id)?.timeline ?? []).map(({ what, text }) => `${what}: ${text}`);
}

// Words of a header in quoted-printable (RFC 2047), joined again.
function decoded(header: string): string {
  const bytes = header
    .replaceAll(/\?= =\?UTF-8\?Q\?/g, '')
    .replace(/^=\?UTF-8\?Q\?(.*)\?=$/, '$1')
    .replaceAll('_', ' ')
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

const lineOf = (rig: Rig, pattern: RegExp): Promise<string> => eventually(`a line ${pattern}`, () => linesOf(rig).find((line) => pattern.test(line)), 20_000);

test('an incident is told at every step by webhook and by mail, from its detection to its end', async () => {
  await using ground = await createGround();
  await using hook = await startHook(ground);
  await using mailbox = await startMailbox(ground);
  await using rig = await createRig({ ...webhookTo(hook, ground), ...mailTo(mailbox, ground) });
  const { incidents } = rig;
  const told = (count: number) =>
    eventually(`${count} notices each`, () => linesOf(rig).filter((line) => line.startsWith('sent')).length === 2 * count, 20_000);

  incidents.report(KEY_TAKEN);
  await told(1);
  await rig.pass(4 * HOUR);
  await told(2);
  incidents.change('1', { state: 'assessed', comment: 'Looking at the vault.', actor: 'anna' });
  incidents.report({ ...KEY_TAKEN, isOver: true, detail: 'The key is there again.' });
  await told(3);
  incidents.change('1', { state: 'closed', comment: 'The vault had been restarted.', actor: 'anna' });
  await told(4);

  assert.deepEqual([hook.received.length, mailbox.mails.length], [4, 4]);

  const notices = hook.received.map(({ body }) => JSON.parse(body) as Notice);
  assert.deepEqual(
    notices.map(({ occasion, incident, by, text }) => [occasion, incident.state, by, text]),
    [
      ['detected', 'detected', 'system', KEY_TAKEN.detail],
      ['reminder', 'detected', 'system', KEY_TAKEN.detail],
      ['contained', 'contained', 'system', 'The key is there again.'],
      ['closed', 'closed', 'anna', 'The vault had been restarted.'],
    ],
  );
  const [first] = notices;
  assert.deepEqual(first, {
    schema: 'relay.incident/1',
    delivery: first?.delivery,
    occasion: 'detected',
    at: new Date(START).toISOString(),
    text: KEY_TAKEN.detail,
    by: 'system',
    site: 'relay.example.org',
    incident: {
      id: 'INC-0001',
      uid: first?.incident.uid,
      source: `workspace ${BANK}`,
      kind: 'key-taken-away',
      title: 'key taken away',
      subject: 'vault/bank',
      severity: 'error',
      state: 'detected',
      detail: KEY_TAKEN.detail,
      count: 1,
      firstAt: new Date(START).toISOString(),
      lastAt: new Date(START).toISOString(),
    },
  });
  assert.equal(new Set(notices.map(({ delivery }) => delivery)).size, 4);
  assert.equal(new Set(notices.map(({ incident }) => incident.uid)).size, 1);

  const { uid } = first?.incident ?? assert.fail();
  const header = (text: string, name: string): string | undefined =>
    new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'im').exec(text)?.[1]?.replaceAll(/\r\n\s+/g, ' ');
  for (const [at, { from, to, isTls, user, text }] of mailbox.mails.entries()) {
    assert.deepEqual([from, to, isTls, user], ['relay@example.org', ['ops@example.org', 'soc@example.org'], true, MAIL_USER]);
    assert.equal(header(text, 'Auto-Submitted'), 'auto-generated');
    assert.match(text, /^Content-Type: text\/plain; charset=utf-8\r$/m);
    const root = `<inc-0001.${uid}@example.org>`;
    assert.equal(header(text, 'Message-ID'), at === 0 ? root : `<inc-0001.${header(text, 'Message-ID')?.slice(10, 46)}@example.org>`);
    assert.equal(header(text, 'In-Reply-To'), at === 0 ? undefined : root);
    assert.equal(header(text, 'References'), at === 0 ? undefined : root);
    const subject = `[Relay] error: INC-0001 key taken away – workspace ${BANK}`;
    assert.equal(decoded(header(text, 'Subject') ?? ''), at === 0 ? subject : `Re: ${subject}`);
  }
  assert.equal(new Set(mailbox.mails.map(({ text }) => header(text, 'Message-ID'))).size, 4);
  assert.match(mailbox.mails[3]?.text ?? '', /INC-0001, key taken away, is closed\.[\s\S]*The vault had been restarted\./);
});

describe('the webhook', () => {
  test('is posted as JSON, and signed over time and body', async () => {
    await using ground = await createGround();
    await using hook = await startHook(ground);
    await using rig = await createRig(webhookTo(hook, ground));
    rig.incidents.report(KEY_TAKEN);
    const { method, url, headers, body } = await eventually('a notice', () => hook.received[0]);
    assert.deepEqual([method, url, headers['content-type']], ['POST', '/hook/path-token', 'application/json; charset=utf-8']);
    const [timestamp, signature] = [String(headers['x-relay-timestamp']), String(headers['x-relay-signature'])];
    assert.equal(timestamp, String(START / 1_000));
    assert.equal(headers['x-relay-delivery'], (JSON.parse(body) as Notice).delivery);
    assert.ok(isSignedBy(SECRET, { timestamp, body, signature }));
    assert.ok(!isSignedBy('another secret', { timestamp, body, signature }));
    assert.ok(!isSignedBy(SECRET, { timestamp: String(START / 1_000 + 1), body, signature }));
    assert.ok(!isSignedBy(SECRET, { timestamp, body: `${body} `, signature }));
    assert.ok(!JSON.stringify([body, headers, rig.lines]).includes(SECRET));
  });

  test('that is down for three hours gets the notice once', async () => {
    await using ground = await createGround();
    const port = await freePort();
    await using rig = await createRig({ ...webhookTo({ port }, ground), remindAfter: '7d' });
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /^not-sent: webhook, detected: 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    for (let minute = 0; minute < 180; minute += 5) {
      rig.clock.advance(5 * MINUTE);
      await eventually('a wait', () => rig.clock.waits().length > 1);
    }
    await using hook = await startHook(ground, port);
    await eventually('the notice', async () => {
      rig.clock.advance(MINUTE);
      await turns();
      return hook.received.length > 0;
    });
    await lineOf(rig, /^sent: webhook, detected: taken at try \d+$/);
    await rig.pass(2 * HOUR);
    assert.equal(hook.received.length, 1);
    assert.equal(linesOf(rig).length, 3);
  });

  const refusals: readonly (readonly [status: number, line: RegExp])[] = [
    [302, /it answered 302, a redirect, which is not followed; give the last address itself/],
    [401, /it answered 401; check that it knows the secret/],
    [500, /it answered 500/],
    [422, /it answered 422/],
  ];
  for (const [status, line] of refusals) {
    test(`that answers ${status} has not taken it, and nobody is sent elsewhere`, async () => {
      await using ground = await createGround();
      await using hook = await startHook(ground);
      await using elsewhere = await startHook(ground);
      Object.assign(hook, { status, headers: { location: `https://127.0.0.1:${elsewhere.port}/` }, answer: `${'x'.repeat(300_000)} ${SECRET}` });
      await using rig = await createRig(webhookTo(hook, ground));
      rig.incidents.report(KEY_TAKEN);
      const found = await lineOf(rig, /^not-sent/);
      assert.match(found, line);
      assert.ok(!/path-token|xxx|secret that only/.test(found + rig.lines.join('')), 'neither its path nor what it answered is repeated');
      assert.equal(elsewhere.received.length, 0);
    });
  }

  test('whose answer is endless is believed for its status', async () => {
    await using ground = await createGround();
    await using hook = await startHook(ground);
    Object.assign(hook, { status: 200, answer: 'x'.repeat(5_000_000) });
    await using rig = await createRig(webhookTo(hook, ground));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /^sent/);
  });

  test('that does not answer is given ten seconds', async () => {
    await using ground = await createGround();
    await using hook = await startHook(ground);
    hook.status = undefined;
    await using rig = await createRig(webhookTo(hook, ground));
    rig.incidents.report(KEY_TAKEN);
    await eventually('the request', () => hook.received.length > 0);
    rig.clock.advance(10_000);
    await lineOf(rig, /no answer within 10 seconds/);
  });

  test('with a certificate that nobody trusts gets nothing', async () => {
    await using ground = await createGround();
    await using hook = await startHook(ground);
    await using rig = await createRig(webhookTo(hook, ground, { trustFile: undefined }));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /^not-sent: webhook, detected: 127\.0\.0\.1:\d+: its certificate cannot be trusted .*incidents\.webhook\.trustFile/);
    assert.equal(hook.received.length, 0);
  });

  test('without its secret is not sent to, and is once the secret is there: no restart', async () => {
    await using ground = await createGround();
    await using hook = await startHook(ground);
    const secretFile = join(ground.folder, 'later.secret');
    await using rig = await createRig(webhookTo(hook, ground, { secretFile }));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /The secret file .*later\.secret cannot be read/);
    assert.equal(hook.received.length, 0);
    await writeFile(secretFile, SECRET);
    await chmod(secretFile, 0o600);
    rig.clock.advance(MINUTE);
    await eventually('the notice', () => hook.received.length === 1);
  });

  test('gets after a restart what was in the outbox', async () => {
    await using ground = await createGround();
    await using hook = await startHook(ground);
    hook.status = 503;
    await using rig = await createRig(webhookTo(hook, ground));
    rig.incidents.report(KEY_TAKEN);
    rig.incidents.report({ ...KEY_TAKEN, subject: 'another' });
    await lineOf(rig, /^not-sent/);
    hook.status = 204;
    await rig.restart();
    rig.clock.advance(MINUTE);
    await eventually('both', () => linesOf(rig, '1').some((line) => line.startsWith('sent')) && linesOf(rig, '2').some((line) => line.startsWith('sent')));
    const [first, ...more] = hook.received.map(({ headers }) => headers['x-relay-delivery']);
    assert.deepEqual([more.includes(first), new Set(more).size], [true, 2], 'what was refused before comes again under its old delivery');
  });
});

describe('mail', () => {
  test('with a wrong password is not sent; the time line says why, without the password', async () => {
    await using ground = await createGround();
    await using mailbox = await startMailbox(ground);
    await writeFile(ground.passwordFile, 'hunter2-is-wrong');
    await using rig = await createRig(mailTo(mailbox, ground));
    rig.incidents.report(KEY_TAKEN);
    const line = await lineOf(rig, /^not-sent/);
    assert.match(line, /^not-sent: mail, detected: 127\.0\.0\.1: it refused user and password \(535\); check incidents\.mail\.user/);
    assert.ok(!JSON.stringify([linesOf(rig), rig.lines]).includes('hunter2'));
    await writeFile(ground.passwordFile, MAIL_PASSWORD);
    rig.clock.advance(MINUTE);
    await lineOf(rig, /^sent: mail, detected: taken at try 2$/);
    assert.equal(mailbox.mails.length, 1);
  });

  test('is never sent in the clear: a server without STARTTLS is refused before user and password', async () => {
    await using ground = await createGround();
    let logins = 0;
    await using mailbox = await startMailbox(ground, {
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => {
        logins += 1;
        done(null, { user: 'x' });
      },
    });
    await using rig = await createRig(mailTo(mailbox, ground));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /^not-sent: mail, detected: 127\.0\.0\.1: TLS failed/);
    assert.deepEqual([logins, mailbox.mails.length], [0, 0]);
  });

  test('is not sent to a server whose certificate nobody trusts', async () => {
    await using ground = await createGround();
    await using mailbox = await startMailbox(ground);
    await using rig = await createRig(mailTo(mailbox, ground, { trustFile: undefined }));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(
      rig,
      /^not-sent: mail, detected: 127\.0\.0\.1: its certificate cannot be trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); check .*incidents\.mail\.trustFile/,
    );
    assert.equal(mailbox.mails.length, 0);
  });

  test('goes over TLS from the first byte where that is asked for', async () => {
    await using ground = await createGround();
    await using mailbox = await startMailbox(ground, { secure: true });
    await using rig = await createRig(mailTo(mailbox, ground, { tls: 'implicit' }));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /^sent/);
    assert.equal(mailbox.mails[0]?.isTls, true);
  });

  test('that one of several does not get is sent to the others, and the time line names him', async () => {
    await using ground = await createGround();
    await using mailbox = await startMailbox(ground, {
      onRcptTo: ({ address }, _session, done) => (address.startsWith('soc') ? done(new Error('no such user')) : done()),
    });
    await using rig = await createRig(mailTo(mailbox, ground));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /^sent: mail, detected: taken; the server did not take it for soc@example\.org$/);
  });

  test('whose receivers the server refuses does not hold up the next one', async () => {
    await using ground = await createGround();
    let refused = 0;
    await using mailbox = await startMailbox(ground, {
      onMailFrom(_address, _session, done) {
        refused += 1;
        done(refused === 1 ? new Error('not now') : null);
      },
    });
    await using rig = await createRig(mailTo(mailbox, ground));
    rig.incidents.report(KEY_TAKEN);
    await lineOf(rig, /^not-sent: mail, detected: 127\.0\.0\.1: it did not take sender or receivers \(550\)/);
    rig.clock.advance(2_000);
    rig.incidents.report({ ...KEY_TAKEN, subject: 'another' });
    await eventually('the second mail', () => mailbox.mails.length === 1);
    assert.match(mailbox.mails[0]?.text ?? '', /INC-0002/);
  });
});
