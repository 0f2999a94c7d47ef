import { timingSafeEqual } from 'node:crypto';
import type { Places } from '../host/places.ts';
import { newSealingKey, SEALING_KEY } from '../own-secrets.ts';
import type { Answers } from './answers.ts';
import { credentialsDropIn } from './credentials-drop-in.ts';
import { draftOf } from './draft.ts';
import type { Facts } from './facts.ts';
import type { MachineFiles } from './machine-files.ts';
import { trustFiles } from './options-of-answers.ts';
import { changeOf, type FileChange, RELAY, ROOT, type SecretChange } from './planned.ts';
import { credentialName, SECRET_PLACES } from './secrets-of.ts';

interface RelayParts {
  readonly places: Places;
  readonly files: MachineFiles;
  readonly configuration: string;
  readonly names: readonly string[];
}

/** The secrets to be sealed: the sealing key where there is none yet, and those of the answers that the store does not hold as they are. */
export function secretChanges({ workspaces }: Answers, { credentials }: Facts): readonly SecretChange[] {
  const given = workspaces.flatMap((workspace) =>
    SECRET_PLACES.flatMap((place): SecretChange[] => {
      const value = place.read(workspace);
      const name = credentialName(workspace, place);
      return value === undefined || isSame(credentials.get(name), value) ? [] : [{ name, value }];
    }),
  );
  return credentials.has(SEALING_KEY) ? given : [{ name: SEALING_KEY, value: newSealingKey() }, ...given];
}

function isSame(found: Buffer | undefined, value: string): boolean {
  const wanted = Buffer.from(value);
  return found !== undefined && found.length === wanted.length && timingSafeEqual(found, wanted);
}

/** The whole of relay.yaml as it shall be. `names`: of all credentials that there will be. */
export function configurationText(now: Answers, facts: Facts, { places, files, names }: Omit<RelayParts, 'configuration'>): string {
  const text = facts.files.get(places.configuration) ?? '';
  return draftOf(text, { before: facts.last?.answers, now }, { places, trust: files.trust, hasCredential: (name) => names.includes(name) });
}

/** The files of the relay that the answers change. */
export function relayFiles(now: Answers, facts: Facts, { places, files, configuration, names }: RelayParts): readonly FileChange[] {
  const pems = now.workspaces.flatMap((workspace) => trustFiles(workspace, files.trust));
  return [
    ...pems.flatMap(({ file, pem }) => changeOf(facts.files, { path: file, text: pem, mode: 0o644, owner: ROOT })),
    ...changeOf(facts.files, { path: files.credentialsDropIn, text: credentialsDropIn(names, places.credentials), mode: 0o644, owner: ROOT }),
    ...changeOf(facts.files, { path: places.configuration, text: configuration, mode: 0o640, owner: RELAY }),
  ];
}
