import type { SignInOptions } from '../../workspace/sign-in-options.ts';

/** Where a cloud's applications sign in, and for whom. */
export interface Cloud {
  readonly authority: string;
  readonly audience: string;
}

/** The clouds, by the option `cloud`. */
export const CLOUDS: Readonly<Record<SignInOptions['cloud'], Cloud>> = {
  public: { authority: 'https://login.microsoftonline.com', audience: 'https://monitor.azure.com' },
  'us-government': { authority: 'https://login.microsoftonline.us', audience: 'https://monitor.azure.us' },
  china: { authority: 'https://login.chinacloudapi.cn', audience: 'https://monitor.azure.cn' },
};
