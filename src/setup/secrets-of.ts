import { optionPlaces } from '../configuration/option-places.ts';
import { type Answers, answersSchema } from './answers.ts';
import type { WorkspaceAnswers } from './workspace-answers.ts';

/** A secret of a workspace: which answer holds it, under which name the credential store keeps it, and which option names its file. */
export interface SecretPlace {
  readonly answer: string;
  readonly suffix: string;
  readonly option: readonly string[];
  read(workspace: WorkspaceAnswers): string | undefined;
}

/** The secrets that a workspace may have. The main one has the plain name `workspace-<guid>`. */
export const SECRET_PLACES: readonly SecretPlace[] = [
  { answer: 'sharedKey', suffix: '', option: ['sharedKeyFile'], read: ({ sharedKey }) => sharedKey },
  { answer: 'secret', suffix: '', option: ['ingestion', 'signIn', 'secretFile'], read: ({ secret }) => secret },
  { answer: 'path.proxy.password', suffix: '-proxy', option: ['path', 'proxy', 'passwordFile'], read: ({ path }) => path.proxy.password },
];

/** The name of a workspace's secret in the credential store. */
export function credentialName({ id }: Pick<WorkspaceAnswers, 'id'>, { suffix }: Pick<SecretPlace, 'suffix'>): string {
  return `workspace-${id}${suffix}`;
}

/** Every secret in the answers, to be struck out of copies and logs. Public certificates are none. */
export function secretsIn({ workspaces }: Answers): readonly string[] {
  return workspaces
    .flatMap((workspace) => [...SECRET_PLACES.map(({ read }) => read(workspace)), workspace.enrolmentKey.key])
    .filter((each) => each !== undefined);
}

/** A copy of the answers that holds no secret. */
export function withoutSecrets(answers: Answers): Answers {
  const workspaces = answers.workspaces.map(
    ({ sharedKey, secret, path, enrolmentKey, ...others }): WorkspaceAnswers => ({
      ...others,
      sharedKey: undefined,
      secret: undefined,
      path: { ...path, proxy: { ...path.proxy, password: undefined } },
      enrolmentKey: { ...enrolmentKey, key: undefined },
    }),
  );
  return { ...answers, workspaces };
}

/** Names of the answers whose text is never shown, in the schema's spelling: `workspaces[].secret`. */
export function secretAnswers(): readonly string[] {
  return optionPlaces(answersSchema).flatMap(({ path, facts }) => (facts.kind.hidden && facts.kind.name !== 'PEM' ? [path] : []));
}
