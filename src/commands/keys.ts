import { Command } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { Column } from '../table.ts';
import { withNewKey } from '../workspace/key-ring.ts';
import { changeKeyRingFile } from '../workspace/key-ring-file.ts';
import type { KeyFacts, Rotated } from '../workspace/key-rotation.ts';
import { askPerson } from './confirm.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

const COLUMNS: readonly Column<KeyFacts>[] = [
  ['KEY', (key) => key.id],
  ['STATE', stateOf],
  ['CREATED', (key) => moment(key.createdAt)],
  ['GROUPS', (key) => key.groups],
  ['DEAD LETTERS', (key) => key.deadLetters],
  ['ENROLMENT KEYS', (key) => key.enrolmentKeys],
  ['SENDERS', (key) => key.senderSecrets],
];

interface RotateFlags extends SocketFlags {
  readonly file?: string;
}

interface ForgetFlags extends SocketFlags {
  readonly yes?: boolean;
}

/** `relay keys list | rotate | forget`: the keys that seal what the relay keeps. No command ever shows a key. */
export function keysCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const list = relayCommand('list', 'list the keys by id and age, with what each still protects; never a key').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    printRows(output, await get<KeyFacts[]>('/keys'), COLUMNS, 'No keys.');
  });
  const rotate = relayCommand('rotate', 'make a new key for what comes from now on; old ones stay until nothing they sealed is left')
    .option('--file <file>', 'add the key to this key ring instead, which no running relay uses: one that goes back into the credential store')
    .action((flags: RotateFlags) => rotateKeys(flags, parts));
  const forget = relayCommand('forget', 'give up for good what a lost key sealed; the loss ledger keeps what it was')
    .argument('<key>', 'the id of a key that `list` shows as LOST')
    .option('--yes', 'do not ask')
    .action((keyId: string, flags: ForgetFlags) => forgetKey(keyId, flags, parts));
  return new Command('keys').description('the keys that seal what is kept').addCommand(list).addCommand(rotate).addCommand(forget);
}

async function rotateKeys(flags: RotateFlags, parts: SessionParts): Promise<void> {
  if (flags.file !== undefined) {
    const { currentKeyId } = await changeKeyRingFile(flags.file, (content) => withNewKey(content, Date.now()));
    return printValue(
      parts.outputFor(flags.json ?? false),
      { to: currentKeyId },
      `Key ${currentKeyId} of ${flags.file} seals what comes, once a relay has started with it.`,
    );
  }
  const { post, output } = await openSession(flags, parts);
  const rotated = await post<Rotated>('/keys/rotate');
  printValue(output, rotated, `Key ${rotated.to} seals what comes from now on; ${rotated.from} stays until nothing it sealed is left.`);
}

async function forgetKey(keyId: string, flags: ForgetFlags, parts: SessionParts): Promise<void> {
  const session = await openSession(flags, parts);
  if (!flags.yes && !(await askPerson(`This gives up for good what key ${keyId} sealed. If a backup of the key ring may have it, restore that first. Go on?`)))
    throw new CommandFailure(EXIT.failed, 'Nothing was given up. Without a person to ask, add --yes.');
  const facts = await session.delete<KeyFacts>(`/keys/${encodeURIComponent(keyId)}`);
  const { groups, deadLetters, enrolmentKeys, senderSecrets } = facts;
  const rest =
    deadLetters + enrolmentKeys + senderSecrets === 0
      ? ''
      : ` Its ${deadLetters} dead letters, ${enrolmentKeys} enrolment keys and ${senderSecrets} secrets of senders stay: discard, revoke and rotate them.`;
  printValue(session.output, facts, `${groups} groups that key ${keyId} sealed are being given up; see: relay losses list.${rest}`);
}

function stateOf({ isCurrent, isLost, isInUse }: KeyFacts): string {
  if (isLost) return 'LOST';
  if (isCurrent) return 'current';
  return isInUse ? 'in use' : 'unused';
}
