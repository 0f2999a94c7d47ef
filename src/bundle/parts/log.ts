import type { SupportText } from '../../control/api.ts';
import type { Part } from '../part.ts';
import { runProgram } from '../run-program.ts';
import type { BundleSite } from '../site.ts';

const UNIT = 'relay';
const LINES = 5_000;

/** The last lines of the log: the running relay's own, else what the journal has. */
export function logPart({ relay }: BundleSite): Part {
  return {
    file: 'log.txt',
    what: 'the last lines of the log; names and addresses of machines are in it, no records',
    keeps: 'end',
    async gather(signal) {
      if (relay.runs) return { text: (await relay.get<SupportText>('/support/log')).text, note: 'from the running relay' };
      const text = await runProgram('journalctl', ['--unit', UNIT, '--lines', String(LINES), '--no-pager', '--output', 'short-iso'], signal);
      if (text === undefined) return { leftOut: `${relay.reason}, and journalctl cannot be asked` };
      return { text, note: `from journalctl --unit ${UNIT}` };
    },
  };
}
