import { sentenceOf } from '../../control/attention.ts';
import { attentionOf } from '../../control/attention-of.ts';
import { asJson, type Part } from '../part.ts';
import type { BundleSite } from '../site.ts';

/** How the relay is, in its own words. */
export function statusParts({ relay, now }: BundleSite): Part[] {
  return [
    {
      file: 'status.json',
      what: 'what relay status tells: workspaces, balance, roads, agents in numbers, certificates',
      gather: async () => (relay.runs ? asJson(relay.status) : { leftOut: relay.reason }),
    },
    {
      file: 'attention.txt',
      what: 'what needs attention, by relay status',
      async gather() {
        if (!relay.runs) return { leftOut: relay.reason };
        const found = attentionOf(relay.status, now());
        return { text: found.length === 0 ? 'Nothing.\n' : found.map((one) => `${one.severity.padEnd(4)}  ${sentenceOf(one)}\n`).join('') };
      },
    },
  ];
}
