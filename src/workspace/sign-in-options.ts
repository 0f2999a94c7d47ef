import { httpsAddress, oneOf, path, secretFile, text } from '../option-kinds.ts';
import { option, optional, type Schema, section } from '../options.ts';

/** How the relay signs in to Azure. */
export interface SignInOptions {
  readonly method: 'client-secret' | 'client-certificate' | 'managed-identity';
  readonly cloud: 'public' | 'us-government' | 'china';
  readonly tenantId?: string | undefined;
  readonly clientId?: string | undefined;
  /** Absolute path. */
  readonly secretFile?: string | undefined;
  /** Absolute path of a PEM with certificate and key. */
  readonly certificateFile?: string | undefined;
  /** Until when the secret is good, as the operator was told: a date. A certificate says so itself. */
  readonly secretEndsAt?: string | undefined;
  /** In place of the cloud's own sign-in service: a stand-in, or a sovereign one. */
  readonly authority?: string | undefined;
  /** Absolute path of a PEM with the authorities that the sign-in service is verified by. */
  readonly trustFile?: string | undefined;
}

const id = text('GUID or name', 'a GUID or a name', (value) => /^[\w.-]{1,128}$/.test(value));
const date = text('date', 'a date such as 2027-03-31', (value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)));

/** The section `ingestion.signIn` of a workspace. */
export const signInOptions: Schema<SignInOptions> = section<SignInOptions>({
  method: option(
    oneOf(['client-secret', 'client-certificate', 'managed-identity']),
    'client-secret',
    'How the relay signs in: as an application with a secret or a certificate, or as this machine (Azure Arc).',
  ),
  cloud: option(oneOf(['public', 'us-government', 'china']), 'public', 'Which cloud.'),
  tenantId: optional(id, 'none', 'The tenant: a GUID or a domain.'),
  clientId: optional(id, 'none', "The application's id, or that of a user-assigned identity."),
  secretFile: optional(secretFile, 'none', "File with the application's secret, mode 0600. A changed secret takes effect at once."),
  secretEndsAt: optional(date, 'unknown', 'Until when the secret is good, as Azure told you: the relay warns 30, 14, 7 days and one day ahead.'),
  certificateFile: optional(secretFile, 'none', "File with the application's certificate and private key (PEM), mode 0600."),
  authority: optional(httpsAddress, "the cloud's", 'Address of the sign-in service.'),
  trustFile: optional(path, "the system's", 'File with the authorities (PEM) that the sign-in service is verified by.'),
});

/** What is missing for signing in, in words; undefined when nothing is. */
export function signInProblem(options: Partial<SignInOptions> | undefined): string | undefined {
  const { method, tenantId, clientId, secretFile, certificateFile } = options ?? {};
  if (method === 'managed-identity') return undefined;
  if (tenantId === undefined || clientId === undefined) return 'found no tenantId or no clientId; signing in as an application needs both';
  if (method === 'client-certificate') return certificateFile === undefined ? 'found no certificateFile; the method client-certificate needs it' : undefined;
  return secretFile === undefined ? 'found no secretFile; the method client-secret needs it' : undefined;
}

/** What is wrong with the application whose tokens agents get; undefined when nothing is, or when none is given. */
export function handOutProblem(options: Partial<SignInOptions> | undefined, own: Partial<SignInOptions> | undefined): string | undefined {
  if (!isSignInGiven(options)) return undefined;
  if (options?.method === 'managed-identity')
    return "found the method managed-identity; that identity is the relay's own, and agents get tokens of another application";
  if (options?.clientId !== undefined && options.clientId === own?.clientId) {
    return "found the clientId of ingestion.signIn; agents never get the relay's own tokens: make an application with the role on the direct rule only";
  }
  return signInProblem(options);
}

/** Whether anything was said of signing in. */
export function isSignInGiven(options: Partial<SignInOptions> | undefined): boolean {
  const { method, tenantId, clientId, secretFile, certificateFile } = options ?? {};
  return method === 'managed-identity' || [tenantId, clientId, secretFile, certificateFile].some((value) => value !== undefined);
}
