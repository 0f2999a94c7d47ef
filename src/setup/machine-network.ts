/** Facts about this machine's network that are none of the relay's options: which side is management. In /etc/relay/network.yaml. */
import { stringify } from 'yaml';
import { optionPlaces } from '../configuration/option-places.ts';
import { problemsOf } from '../configuration/problems.ts';
import { RelayError } from '../errors.ts';
import { readFileIfAny } from '../files.ts';
import { list } from '../option-kinds.ts';
import { optional, type Schema, section } from '../options.ts';
import { prefix } from '../workspace/path-options.ts';
import { link } from './answer-kinds.ts';
import type { Answers } from './answers.ts';
import { answersInYaml } from './user-data.ts';

export interface MachineNetwork {
  readonly management: {
    /** Only operators and Prometheus use it. */
    readonly interface?: string | undefined;
    /** Where they come from. */
    readonly networks?: readonly string[] | undefined;
  };
}

const HEAD = `# Which side of this machine is for operators and Prometheus: SSH, metrics and exporters answer there and nowhere else.
# After a change: relay setup network
`;

const schema: Schema<MachineNetwork> = section<MachineNetwork>({
  management: section<MachineNetwork['management']>({
    interface: optional(link, 'any', 'Interface that only operators and Prometheus use.'),
    networks: optional(list(prefix), 'any', 'Networks that they come from.'),
  }),
});

/** Reads the file; without one no side is told apart. Throws `relay.setup.bad-network`. */
export async function readMachineNetwork(path: string): Promise<MachineNetwork> {
  const text = (await readFileIfAny(path))?.toString() ?? '';
  const parsed = schema.safeParse(answersInYaml(text, path) ?? {});
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error, optionPlaces(schema), new Map());
  throw new RelayError('relay.setup.bad-network', `${path} cannot be used: ${problems.join(' · ')}`);
}

/** The file that answers lead to; undefined where they name no management side. */
export function machineNetworkOf({ management: { interface: own, networks } }: Pick<Answers, 'management'>): string | undefined {
  if (own === undefined && !networks?.length) return undefined;
  const management = { ...(own === undefined ? {} : { interface: own }), ...(networks?.length ? { networks } : {}) };
  return `${HEAD}${stringify({ management }, { lineWidth: 0 })}`;
}
