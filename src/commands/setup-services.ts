/** What units of the appliance run: `relay setup network` and `problem`. */
import { networkInterfaces } from 'node:os';
import { loadConfiguration } from '../configuration/load.ts';
import { writeFileAtomic } from '../files.ts';
import { createServices } from '../host/services.ts';
import { applyNetwork } from '../setup/apply-network.ts';
import { gatherProblem } from '../setup/gather-problem.ts';
import { readMachineNetwork } from '../setup/machine-network.ts';
import { problemOf, problemText } from '../setup/problem.ts';
import { type Context, say } from './setup-context.ts';

/** Firewall and routing from relay.yaml and network.yaml. */
export async function runNetwork({ places, files, programs, own, output }: Context): Promise<void> {
  const configuration = await loadConfiguration({ file: places.configuration, env: {} });
  const network = await readMachineNetwork(files.machineNetwork);
  const { done, waiting } = await applyNetwork({ machine: { files, programs, own }, configuration, network, interfaces: networkInterfaces() });
  for (const line of done) output.line(line);
  for (const line of waiting) output.line(`waiting: ${line}`);
}

/** Why the relay did not start: on the console, in the journal, and kept for the banner. */
export async function runProblem(context: Context): Promise<void> {
  const { places, programs } = context;
  const text = problemText(problemOf(await gatherProblem({ places, programs, services: createServices(programs) })));
  await writeFileAtomic(places.problem, `${text}\n`, 0o644);
  await say(text, context);
}
