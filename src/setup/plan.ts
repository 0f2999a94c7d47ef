/** What setup will do to the machine: pure, from the answers and from how the machine is. A plan for a machine that is as the answers say is empty. */
import type { Places } from '../host/places.ts';
import type { Answers } from './answers.ts';
import type { Facts } from './facts.ts';
import { keptAnswersText } from './kept-answers.ts';
import type { MachineFiles } from './machine-files.ts';
import { machineChanges, stepsFor } from './plan-machine.ts';
import { configurationText, relayFiles, secretChanges } from './plan-relay.ts';
import { changeOf, type FileChange, type Plan, ROOT, type WantedKey } from './planned.ts';
import { badAnswers } from './read-answers.ts';

export interface PlanParts {
  readonly places: Places;
  readonly files: MachineFiles;
  /** Where the answers were found, for messages. */
  readonly from: string;
  readonly prefix: string;
}

/** Throws `relay.setup.bad-answers` for an interface that is not there, and `relay.configuration.invalid` for a configuration file that is none. */
export function planOf(answers: Answers, facts: Facts, parts: PlanParts): Plan {
  const { places, files } = parts;
  const device = agentsDevice(answers, facts, parts);
  const secrets = secretChanges(answers, facts);
  const names = [...new Set([...facts.credentials.keys(), ...secrets.map(({ name }) => name)])];
  const configuration = configurationText(answers, facts, { places, files, names });
  const relay = relayFiles(answers, facts, { places, files, configuration, names });
  const machine = machineChanges(answers, facts, { files, device });
  return {
    secrets,
    files: [...relay, ...machine, ...begun(answers, facts, places)],
    steps: stepsFor(answers, facts, { files: [...relay, ...machine], machine: files }),
    restartsRelay: secrets.length > 0 || relay.length > 0,
    enrolmentKeys: enrolmentKeys(answers),
    configuration,
    netplan: machine.find(({ path }) => path === files.netplan)?.text,
    notes: notesOf(answers, facts, parts),
  };
}

// The answers are noted as begun with the first change, and as finished after the last.
function begun(answers: Answers, { files }: Facts, { answers: path }: Places): FileChange[] {
  if (files.get(path) === keptAnswersText({ finished: true, answers })) return [];
  return changeOf(files, { path, text: keptAnswersText({ finished: false, answers }), mode: 0o600, owner: ROOT });
}

function enrolmentKeys({ workspaces }: Answers): readonly WantedKey[] {
  return workspaces.flatMap(({ id, enrolmentKey }) => (enrolmentKey.name === undefined ? [] : [{ ...enrolmentKey, name: enrolmentKey.name, workspaceId: id }]));
}

/** The interface of the agents' side: the one said, else the first card that is not management's. Undefined where there is none. */
export function agentsDevice(
  { interface: said, management, address }: Answers,
  { cards, links }: Pick<Facts, 'cards' | 'links'>,
  { from, prefix }: PlanParts,
): string | undefined {
  const strange = [
    ['interface', said],
    ['management.interface', management.interface],
  ].flatMap(([name, found]) =>
    found === undefined || links.includes(found) ? [] : [`${prefix}${name}: found ${found}; this machine has ${links.join(', ') || 'none'}`],
  );
  if (strange.length > 0) throw badAnswers(from, strange);
  const device = said ?? cards.find((name) => name !== management.interface);
  if (device === undefined && address !== undefined) throw badAnswers(from, [`${prefix}interface: missing; this machine has no further network card`]);
  return device;
}

function notesOf(now: Answers, facts: Facts, { files }: PlanParts): readonly string[] {
  const gone = facts.last?.answers.workspaces.filter(({ id }) => !now.workspaces.some((each) => each.id === id)) ?? [];
  const hasKeys = Boolean(now.sshKeys?.length) || (facts.files.get(files.authorizedKeys) ?? '').trim() !== '';
  return [
    ...(now.workspaces.length === 0 ? ['No workspace was named: the relay takes nothing until there is one (relay register).'] : []),
    ...gone.map(
      ({ id, name }) => `The workspace ${name ?? id} is in the answers no more. It stays in the configuration, because it may hold data; take it out by hand.`,
    ),
    ...(hasKeys ? [] : ['Nobody can sign in to this machine: no SSH key was named, and there is no password.']),
  ];
}
