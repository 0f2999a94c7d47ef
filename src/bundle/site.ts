import type { Configuration } from '../configuration/schema.ts';
import type { RelayLink } from './relay-link.ts';

/** The configuration, or what is wrong with it. */
export type Configured =
  | { readonly usable: true; readonly file: string; readonly configuration: Configuration }
  | { readonly usable: false; readonly file: string; readonly reason: string };

/** What a bundle is made of: the relay, if it runs, and what it left on this machine. */
export interface BundleSite {
  readonly configured: Configured;
  readonly relay: RelayLink;
  /** The release of this command. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Why a part that reads the data folder cannot. */
export const NO_CONFIGURATION = 'the configuration cannot be used, so nothing says where it is';
