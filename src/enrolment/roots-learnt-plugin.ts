import type { Plugin } from '@hapi/hapi';
import { CONFIGURATION_PATH } from '../check-in/agent-configuration.ts';
import { EST_ROOTS_PATH } from '../check-in/est-paths.ts';
import { type IdentifySettings, identify } from '../management-group/identify.ts';
import type { Registry } from '../management-group/registry.ts';
import type { RootsLearnt } from '../management-group/roots-learnt.ts';
import type { PeerCertificate } from './peer.ts';

/** Answers that hold the roots, or say that they are the ones the agent has. */
const PATHS = [CONFIGURATION_PATH, EST_ROOTS_PATH];
const STATUSES = [200, 304];

export interface RootsLearntOptions {
  readonly learnt: RootsLearnt;
  readonly registry: Registry;
  readonly settings: IdentifySettings;
  readonly peerCertificate: PeerCertificate;
}

/** hapi plugin: notes which agents have been told which roots to trust. */
export const rootsLearntPlugin: Plugin<RootsLearntOptions> = {
  name: 'roots-learnt',
  register(server, { learnt, registry, settings, peerCertificate }) {
    server.events.on('response', (request) => {
      if (!PATHS.includes(request.path.toLowerCase()) || 'isBoom' in request.response || !STATUSES.includes(request.response.statusCode)) return;
      const found = identify(registry, peerCertificate(request), settings);
      if (found.known) learnt.heard(found.agent);
    });
  },
};
