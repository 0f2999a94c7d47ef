import { join } from 'node:path';
import { bothCards, cloudFiles, workspaceAnswers } from './answers.ts';
import { createMachine, type VirtualMachine } from './machine.ts';
import type { Bench } from './scenario.ts';
import type { Site } from './site.ts';
import type { Tap } from './tap.ts';

/** A machine as most sites have it: BIOS, no TPM, two network cards, metrics for everybody; answered to send to the site's workspace. */
export async function createPlainMachine(
  name: string,
  { bench, site, tap }: { readonly bench: Bench; readonly site: Site; readonly tap: Tap },
): Promise<VirtualMachine> {
  return await createMachine({
    ...bench,
    folder: join(bench.folder, 'machine'),
    firmware: 'bios',
    memoryMib: 2048,
    processors: 2,
    tap: tap.name,
    ports: [443, 9464],
    answers: cloudFiles(
      { name, sshKeys: [bench.sshPublicKey], metrics: { address: '0.0.0.0' }, workspaces: [workspaceAnswers(site)] },
      { 'network-config': bothCards() },
    ),
  });
}
