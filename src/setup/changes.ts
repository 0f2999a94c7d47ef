import { isEmpty, type Plan } from './planned.ts';

/** What a plan will do, a line each, for somebody who asks before it is done. Secrets are named and never shown. */
export function changesText(plan: Plan): string {
  if (isEmpty(plan)) return 'Nothing to change: this machine is as its answers say.';
  const files = plan.files.flatMap(({ path, text, before }) => [
    `${text === undefined ? 'remove' : before === undefined ? 'make' : 'change'} ${path}`,
    ...(text === undefined ? [] : linesBetween(before ?? '', text)),
  ]);
  return [
    ...plan.secrets.map(({ name }) => `seal the secret ${name} into the credential store`),
    ...files,
    ...plan.steps.map(({ what, program, args }) => `${what}: ${program} ${args.join(' ')}`),
    ...(plan.restartsRelay ? ['start the relay anew'] : []),
    ...plan.notes.map((note) => `Note: ${note}`),
  ].join('\n');
}

function linesBetween(before: string, after: string): readonly string[] {
  const [old, now] = [before, after].map((text) => text.split('\n').filter((line) => line.trim() !== ''));
  return [
    ...(old ?? []).filter((line) => !now?.includes(line)).map((line) => `    - ${line}`),
    ...(now ?? []).filter((line) => !old?.includes(line)).map((line) => `    + ${line}`),
  ];
}
