/** Why the relay did not start, in words: pure, from what `gather-problem.ts` found. */

/** What is known after a start that failed. */
export interface StartFacts {
  /** The data partition is mounted. */
  readonly isDataMounted: boolean;
  readonly isRedisActive: boolean;
  readonly hasTpm: boolean;
  /** Exit status of the relay's last process; 243 is systemd's own for credentials. */
  readonly exitStatus: number | undefined;
  /** Credentials that this machine cannot open, with what systemd-creds said. */
  readonly unopened: readonly { readonly name: string; readonly said: string /** No TPM had a part in sealing it. */; readonly isByHostAlone: boolean }[];
  /** The sealing key is in the credential store. */
  readonly hasSealingKey: boolean;
  /** What is wrong with the configuration; undefined when nothing is. */
  readonly configuration: string | undefined;
  /** What the relay wrote last, a line each. */
  readonly lines: readonly string[];
}

export interface Problem {
  /** One sentence. */
  readonly what: string;
  /** What to do, a sentence each. */
  readonly next: readonly string[];
  /** Lines to look at. */
  readonly shown: readonly string[];
}

type Rule = (facts: StartFacts) => Problem | undefined;

const CREDENTIALS_EXIT = 243;
const MOST_LINES = 10;

const problem = (what: string, next: readonly string[], shown: readonly string[] = []): Problem => ({ what, next, shown });
const lineWith = ({ lines }: StartFacts, pattern: RegExp): string | undefined => lines.findLast((line) => pattern.test(line));

const dataMissing: Rule = ({ isDataMounted }) =>
  isDataMounted
    ? undefined
    : problem('The relay did not start: its data partition (/srv/relay) is not mounted.', [
        'Check that the disk is attached to the virtual machine, then: systemctl status relay-disk.service',
        'Nothing is lost as long as the disk is there; do not make a new one in its place.',
      ]);

const sealed: Rule = ({ unopened, hasTpm }) => {
  const [first] = unopened;
  if (first === undefined) return undefined;
  const shown = [`${unopened.map(({ name }) => name).join(', ')}: ${first.said}`];
  if (first.isByHostAlone)
    return problem(
      'The relay did not start: its keys are sealed by the key of a machine that this one is not (/var/lib/systemd/credential.secret is another one, or gone).',
      ['Put that file back, or start the disk as it was.', 'If it is lost, restore a backup: relay restore'],
      shown,
    );
  if (!hasTpm)
    return problem(
      "The relay did not start: its keys are sealed to this machine's TPM 2, and there is none now.",
      ['Give the virtual machine its TPM back (the same one, with its state), then start it again.', 'If that TPM is lost, restore a backup: relay restore'],
      shown,
    );
  return problem(
    'The relay did not start: its keys are sealed to another TPM 2 than this machine has now, or the files that hold them were changed.',
    ['Start the disk on the machine that it belongs to, with its own TPM.', 'If that machine is lost, restore a backup: relay restore'],
    shown,
  );
};

const withoutKeys: Rule = ({ exitStatus, hasSealingKey }) => {
  if (!hasSealingKey)
    return problem('The relay did not start: its sealing key is not in the credential store.', [
      'Restore a backup: relay restore',
      'On a machine that holds no data yet: relay setup',
    ]);
  if (exitStatus === CREDENTIALS_EXIT)
    return problem('The relay did not start: systemd could not give it its credentials.', [
      'See why: journalctl --unit relay.service',
      'Write the list of them anew: relay setup',
    ]);
  return undefined;
};

const ownSecrets: Rule = (facts) => {
  const line = lineWith(facts, /is sealed and cannot be opened/);
  return line === undefined
    ? undefined
    : problem(
        "The relay did not start: what it keeps was sealed under another key than this machine's.",
        ['Start the disk on the machine that it belongs to.', 'Or restore a backup: relay restore'],
        [line],
      );
};

const misconfigured: Rule = ({ configuration }) =>
  configuration === undefined
    ? undefined
    : problem(
        'The relay did not start: its configuration is wrong.',
        ['Mend /etc/relay/relay.yaml, check it with: relay config check', 'Then: systemctl restart relay'],
        configuration.split('\n'),
      );

const noRedis: Rule = ({ isRedisActive }) =>
  isRedisActive
    ? undefined
    : problem('The relay did not start: Redis is not running.', [
        'See why: journalctl --unit relay-redis.service',
        'Then: systemctl restart relay-redis relay',
      ]);

const portTaken: Rule = (facts) => {
  const line = lineWith(facts, /EADDRINUSE|address already in use/i);
  return line === undefined
    ? undefined
    : problem(
        'The relay did not start: another program has the port that it wants.',
        ['See which: ss -ltnp', 'End that program, or give the relay another port in /etc/relay/relay.yaml.'],
        [line],
      );
};

const diskFull: Rule = (facts) => {
  const line = lineWith(facts, /ENOSPC|no space left on device/i);
  return line === undefined
    ? undefined
    : problem('The relay did not start: a disk is full.', ['See which: df -h', 'Give the data disk more room; it grows by itself at the next boot.'], [line]);
};

const RULES: readonly Rule[] = [dataMissing, sealed, withoutKeys, misconfigured, noRedis, ownSecrets, portTaken, diskFull];

/** Why the relay did not start: the first cause that fits, else its own last lines. */
export function problemOf(facts: StartFacts): Problem {
  for (const rule of RULES) {
    const found = rule(facts);
    if (found) return found;
  }
  return problem(
    'The relay did not start, or ended.',
    ['See more: journalctl --unit relay.service', 'Look at everything it needs: relay doctor'],
    facts.lines.slice(-MOST_LINES),
  );
}

/** The problem as lines for console, journal and banner. Nothing in them reaches a terminal as a command. */
export function problemText({ what, next, shown }: Problem): string {
  const lines = [what, ...shown.map((line) => `  | ${line}`), ...next.map((each) => `  → ${each}`)];
  return lines.map((line) => line.replaceAll(/\p{Cc}+/gu, ' ')).join('\n');
}
