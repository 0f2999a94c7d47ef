import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BANK, createIntakeRig, type IntakeRig, type RigSettings } from '../../intake/rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createEstClient, type EstClient } from './client.ts';

/** The relay's intake on loopback, with an enrolment key. */
export interface EstRig extends AsyncDisposable {
  readonly rig: IntakeRig;
  readonly folder: string;
  readonly port: number;
  readonly rootFile: string;
  /** An enrolment key's secret. */
  readonly secret: string;
  client(name: string): EstClient;
}

export async function createEstRig(settings: RigSettings = {}): Promise<EstRig> {
  const { path: folder, ...temporary } = await temporaryFolder();
  const rig = await createIntakeRig(settings);
  const port = await rig.intake.start();
  const rootFile = join(folder, 'root.pem');
  await writeFile(rootFile, rig.rootPem);
  const { secret } = rig.group.enrolmentKeys.create({ name: 'est', workspaceId: BANK });
  return {
    rig,
    folder,
    port,
    rootFile,
    secret,
    client: (name) => createEstClient(folder, name, { port, rootFile }),
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
}
