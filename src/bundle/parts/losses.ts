import { join } from 'node:path';
import type { DeadLetter } from '../../cache/dead-letters.ts';
import { readLetterFacts } from '../../cache/letter-facts.ts';
import type { LossEntry } from '../../cache/loss.ts';
import { readLossEntries } from '../../cache/loss-facts.ts';
import { asJsonLines, type Part } from '../part.ts';
import { type BundleSite, NO_CONFIGURATION } from '../site.ts';

/** Letters told of; their answers are cut, because an answer may quote what it refused. */
const MOST_LETTERS = 500;
const ANSWER_CHARS = 200;

/** What was given up, and what lies among the dead letters: whose, what, why. No record is in it. */
export function lossesParts({ relay, configured }: BundleSite): Part[] {
  return [
    {
      file: 'losses.jsonl',
      what: 'what was given up: workspace, kind, data type, agent, why, how many',
      keeps: 'end',
      async gather() {
        if (relay.runs) return asJsonLines(await relay.get<LossEntry[]>('/losses'));
        if (!configured.usable) return { leftOut: NO_CONFIGURATION };
        const folder = join(configured.configuration.data, 'cache', 'losses');
        return asJsonLines(await readLossEntries(folder), `from ${folder}`);
      },
    },
    {
      file: 'dead-letters.jsonl',
      what: `the oldest ${MOST_LETTERS} dead letters: whose, what, the answer that condemned them; never what is in them`,
      async gather() {
        if (relay.runs) return asJsonLines((await relay.get<DeadLetter[]>(`/dead-letters?limit=${MOST_LETTERS}`)).map(shortened));
        if (!configured.usable) return { leftOut: NO_CONFIGURATION };
        const folder = join(configured.configuration.data, 'cache', 'dead-letters');
        return asJsonLines((await readLetterFacts(folder, MOST_LETTERS)).map(shortened), `from ${folder}`);
      },
    },
  ];
}

function shortened(letter: DeadLetter): DeadLetter {
  return { ...letter, answer: letter.answer.slice(0, ANSWER_CHARS) };
}
