import { systemClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { createRoad } from '../upstream/path/road.ts';
import { CLOUDS } from '../upstream/sign-in/clouds.ts';
import { createSignIn, type SignedIn } from '../upstream/sign-in/sign-in.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { SignInOptions } from '../workspace/sign-in-options.ts';
import type { SignInState } from '../workspace/sign-in-state.ts';
import { attention, good, type Judgement, wrong } from './finding.ts';
import { dayOf } from './road-rules.ts';
import { type Outcome, why, within } from './within.ts';

const SOON_MS = 30 * 86_400_000;

export interface SignInFacts {
  readonly signedIn: SignedIn;
  readonly state: SignInState;
}

/** The address at which this workspace's relay signs in; undefined where it is the machine itself that gives the token. */
export function signInUrl({ method, cloud, authority }: SignInOptions): string | undefined {
  return method === 'managed-identity' ? undefined : (authority ?? CLOUDS[cloud].authority);
}

/** Signs in once, by the road of the configuration, and forgets the token. */
export function trySignIn({ ingestion, signInPath }: WorkspaceOptions, limitMs: number): Promise<Outcome<SignInFacts>> {
  return within(limitMs, async () => {
    const road = await createRoad(signInPath, { clock: systemClock });
    const signIn = createSignIn(ingestion.signIn, { road, clock: systemClock, log: silentLogger });
    try {
      return { signedIn: await signIn.token(), state: signIn.state() };
    } finally {
      signIn.close();
      road.close();
    }
  });
}

/** What came of signing in. */
export function judgeSignIn(facts: Outcome<SignInFacts>, { method, clientId }: SignInOptions, now: number): Judgement {
  if (facts.outcome !== 'done') return wrong(`signing in gave ${why(facts)}`, 'See the steps of sign-in above; the first that is wrong is the cause.');
  const { signedIn, state } = facts.value;
  if (signedIn.outcome === 'none') {
    const [, advice] = /refused: (.+)$/.exec(signedIn.reason) ?? [];
    const remedy =
      advice?.replace(/^./, (first) => first.toUpperCase()) ??
      'Do what it says. The section ingestion.signIn of the workspace holds how the relay signs in, signInPath by which road.';
    return wrong(`no token: ${signedIn.reason}`, remedy);
  }
  const credential = method === 'client-certificate' ? 'certificate' : 'secret';
  const ends = state.secretEndsAt;
  if (ends !== undefined && ends - now < SOON_MS)
    return attention(
      `signed in as ${clientId ?? 'this machine'}; the ${credential} ends on ${dayOf(ends)}`,
      `Make a new ${credential} for the application and put it into the file; it takes effect at once, without a restart.`,
    );
  return good(
    `signed in as ${clientId ?? 'this machine'}; the token is good until ${state.endsAt === undefined ? 'unknown' : new Date(state.endsAt).toISOString()}`,
  );
}
