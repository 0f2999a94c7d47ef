import type { UpstreamState } from '../cache/cache.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { WorkspaceRoads } from '../workspace/road-state.ts';
import { type Destination, type ExamineParts, examineRoad } from './examine-road.ts';
import { attention, createNotes, type Finding, good, type Judgement, skipped, wrong } from './finding.ts';
import { judgeSignIn, signInUrl, trySignIn } from './sign-in.ts';
import type { Uploaded } from './test-upload.ts';
import type { Outcome } from './within.ts';
import { why } from './within.ts';

/** How the running relay sees a workspace: nothing when none runs, or it does not know the workspace. */
export interface Running {
  readonly upstream: UpstreamState | undefined;
  readonly roads: WorkspaceRoads | undefined;
}

export interface WorkspaceParts extends ExamineParts {
  readonly running: Running;
  /** Sends one record; undefined when nothing shall be sent. */
  readonly upload: ((workspace: WorkspaceOptions) => Promise<Outcome<Uploaded>>) | undefined;
}

/** Everything about one workspace, from the name to the upload. */
export async function examineWorkspace(workspace: WorkspaceOptions, parts: WorkspaceParts): Promise<readonly Finding[]> {
  const notes = createNotes(workspace.name);
  const reached: boolean[] = [];
  for (const destination of destinationsOf(workspace)) reached.push(await examineRoad(destination, notes, parts));
  if (workspace.protocol === 'logs-ingestion') {
    const { signIn } = workspace.ingestion;
    await notes.step(
      'sign-in: token',
      () => trySignIn(workspace, 2 * parts.limitMs),
      (facts) => judgeSignIn(facts, signIn, parts.now()),
    );
  }
  const { upload, running } = parts;
  if (upload && reached.every(Boolean)) await notes.step('test upload', () => upload(workspace), judgeUpload);
  await notes.step('running relay', async () => running, judgeUpstream);
  return notes.findings;
}

function destinationsOf(workspace: WorkspaceOptions): Destination[] {
  const { id, protocol, domain, endpoint, ingestion, path, signInPath, trustFile } = workspace;
  const data = { path, option: 'path', trustFile } as const;
  if (protocol === 'logs-ingestion') {
    const { signIn } = ingestion;
    const url = signInUrl(signIn);
    const signingIn: Destination[] = url === undefined ? [] : [{ label: 'sign-in', url, path: signInPath, option: 'signInPath', trustFile: signIn.trustFile }];
    return [{ label: 'data', url: ingestion.endpoint ?? '', ...data }, ...signingIn];
  }
  if (endpoint !== undefined) return [{ label: 'data', url: endpoint, ...data }];
  return [
    { label: 'registration', url: `https://${id}.oms.${domain}`, ...data },
    { label: 'data', url: `https://${id}.ods.${domain}`, ...data },
  ];
}

export function judgeUpload(facts: Outcome<Uploaded>): Judgement {
  if (facts.outcome !== 'done') return wrong(`the test record was not sent: ${why(facts)}`, 'See the steps above, and the log of the relay.');
  const { isDelivered, reason } = facts.value;
  if (isDelivered) return good('one record (RelayDoctor) was delivered');
  return wrong(`the test record was not taken: ${reason}`, adviceFor(reason));
}

function adviceFor(reason: string): string {
  if (/\b403\b/.test(reason))
    return 'Give the application the role Monitoring Metrics Publisher on the data collection rule (it takes up to 30 minutes), and see that rule and endpoint belong together.';
  if (/\b404\b/.test(reason)) return 'Check ingestion.endpoint, ingestion.ruleId (the immutable id, not the name), and that the rule declares the stream.';
  if (/\b401\b/.test(reason)) return 'Check how the relay signs in, and the shared key of the workspace.';
  return 'Do what the reason says; the data that waits is kept until then.';
}

export function judgeUpstream({ upstream, roads }: Running): Judgement {
  if (upstream === undefined) return skipped('no running relay was asked');
  const refusals = [roads?.data, roads?.signIn].flatMap((road) => (road?.refusal && road.refusal.at > (road.verifiedAt ?? 0) ? [road.refusal] : []));
  const last = refusals.map(({ at, message }) => `; a road was refused at ${new Date(at).toISOString()}: ${message}`).join('');
  if (upstream.state === 'awake' && last === '') return good('it reaches the workspace, or has not had anything to send');
  if (upstream.state === 'awake')
    return attention(`it takes data for the workspace${last}`, 'Mend the first step above that is wrong; until then the data waits.');
  const since = upstream.since === undefined ? '' : ` since ${new Date(upstream.since).toISOString()}`;
  return wrong(
    `it does not reach the workspace${since}: ${upstream.reason ?? 'no reason given'}${last}`,
    'Mend the first step above that is wrong; the relay tries again by itself, and nothing that waits is lost.',
  );
}
