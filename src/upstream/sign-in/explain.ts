import type { SignInOptions } from '../../workspace/sign-in-options.ts';
import type { Seen } from './attempt.ts';
import { CLOUDS } from './clouds.ts';

/** Why there is no token: the service has refused what the relay showed it, or it could not be asked. */
export interface Failed {
  readonly outcome: 'refused' | 'unreached';
  readonly reason: string;
}

type Advice = (options: SignInOptions) => string;

const credentialOf = ({ method }: SignInOptions): string => (method === 'client-certificate' ? 'signIn.certificateFile' : 'signIn.secretFile');

/** What Entra's codes mean here, and what to do. */
const ADVICE: Readonly<Record<string, Advice>> = {
  '7000215': (options) => `the secret is wrong. Put the secret's value (not its id) into the file of ${credentialOf(options)}`,
  '7000222': (options) => `the secret has expired. Make a new one for the application and put it into the file of ${credentialOf(options)}`,
  '7000216': () => 'the application needs a secret or a certificate. Check signIn.method',
  '700016': ({ clientId, tenantId }) => `there is no application ${clientId} in the tenant ${tenantId}. Check signIn.clientId and tenantId`,
  '7000112': ({ clientId }) => `the application ${clientId} is disabled. Enable it in the tenant`,
  '90002': ({ tenantId }) => `there is no tenant ${tenantId}. Check signIn.tenantId and the cloud`,
  '900023': ({ tenantId }) => `${tenantId} is not the name of a tenant. Check signIn.tenantId`,
  '500011': ({ cloud }) => `the tenant does not know ${CLOUDS[cloud].audience}. Check signIn.cloud`,
  '700027': () => 'the certificate is not one of the application. Upload it to the application, or put the right one into the file of signIn.certificateFile',
  '700024': () => "the relay's clock is wrong: the signed request is not valid yet, or not any more. Check the time service of this machine",
  '53003': () => 'a conditional access policy forbids it from here. Ask the administrator of the tenant to let this application in from this network',
};

/**
 * Says what a try has seen, in words, with the next step; `section` is where the options stand in the configuration. Nothing of what the service
 * wrote is repeated: it may hold what we sent.
 */
export function explain(options: SignInOptions, seen: Seen, section: string): Failed {
  const { outcome, reason } = judge(options, seen);
  return { outcome, reason: reason.replace(/\bsignIn\b/g, section) };
}

function judge(options: SignInOptions, { host, answer, failure }: Seen): Failed {
  if (failure !== undefined) return unreached(options, host, failure);
  const who = `The sign-in service ${host ?? serviceOf(options)}`;
  if (!answer) return { outcome: 'refused', reason: 'The credential could not be used to sign in. Check the section signIn.' };
  const code = /AADSTS(\d{4,9})/.exec(answer.text)?.[1];
  const advice = code === undefined ? undefined : ADVICE[code]?.(options);
  if (advice !== undefined) return { outcome: 'refused', reason: `${who} refused: ${advice} (AADSTS${code}).` };
  if (answer.status === 429 || answer.status >= 500)
    return { outcome: 'unreached', reason: `${who} answered ${answer.status}: it has no time now. The relay asks again.` };
  if (code !== undefined)
    return { outcome: 'refused', reason: `${who} refused with AADSTS${code}. Look the code up at https://login.microsoftonline.com/error?code=${code}` };
  if (options.method === 'managed-identity') return refusedByMachine(answer.status);
  if (answer.status >= 400) return { outcome: 'refused', reason: `${who} answered ${answer.status} and no reason. Check signIn.authority and tenantId.` };
  const what = `answered ${answer.status} with something that is not a token`;
  return { outcome: 'unreached', reason: `${who} ${what}. Something on the way may have answered in its place: check the path of signing in.` };
}

function unreached(options: SignInOptions, host: string | undefined, failure: string): Failed {
  if (options.method === 'managed-identity') {
    const reason = `This machine gives no identity: ${host ?? 'its agent'} was not reached: ${failure}. Connect the machine to Azure Arc, and see that himds runs.`;
    return { outcome: 'unreached', reason };
  }
  return { outcome: 'unreached', reason: `The sign-in service ${host ?? serviceOf(options)} was not reached: ${failure}. Check the network and signInPath.` };
}

function refusedByMachine(status: number): Failed {
  const reason = `The machine's Azure Arc agent answered ${status} and gave no token. Let the relay's user be a member of the group himds, and see azcmagent show.`;
  return { outcome: status === 200 ? 'unreached' : 'refused', reason };
}

function serviceOf({ authority, cloud }: SignInOptions): string {
  return new URL(authority ?? CLOUDS[cloud].authority).host;
}
