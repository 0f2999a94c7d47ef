import { join } from 'node:path';

/** Where things are on an appliance. */
export interface Places {
  /** Exists on an appliance and nowhere else. */
  readonly marker: string;
  /** The relay's configuration file. */
  readonly configuration: string;
  /** What the machine was told at its first boot, without secrets. */
  readonly answers: string;
  /** The machine's secrets, each encrypted by systemd-creds under its file's name. */
  readonly credentials: string;
  /** Where the relay's unit finds them opened, while it runs. */
  readonly openedCredentials: string;
  /** The data partition. */
  readonly data: string;
  /** On it: all that the relay keeps. */
  readonly state: string;
  /** On it: Redis's files. */
  readonly redis: string;
  /** One folder a release, named after its version. */
  readonly releases: string;
  /** Link to the release that runs. */
  readonly current: string;
  /** Link to the one before. */
  readonly previous: string;
  /** An upgrade on trial. */
  readonly trial: string;
  /** Public keys (PEM) by which the operator trusts releases. */
  readonly releaseKeys: string;
  /** Why the relay did not start, in words. */
  readonly problem: string;
}

/** The places of an appliance whose file system begins at `root`. */
export function appliancePlaces(root = '/'): Places {
  const at = (...names: readonly string[]): string => join(root, ...names);
  return {
    marker: at('etc/relay/appliance'),
    configuration: at('etc/relay/relay.yaml'),
    answers: at('etc/relay/answers.yaml'),
    credentials: at('etc/relay/credentials'),
    openedCredentials: at('run/credentials/relay.service'),
    data: at('srv/relay'),
    state: at('srv/relay/data'),
    redis: at('srv/relay/redis'),
    releases: at('opt/relay/releases'),
    current: at('opt/relay/current'),
    previous: at('opt/relay/previous'),
    trial: at('var/lib/relay-upgrade/trial.json'),
    releaseKeys: at('etc/relay/release-keys'),
    problem: at('run/relay-problem'),
  };
}
