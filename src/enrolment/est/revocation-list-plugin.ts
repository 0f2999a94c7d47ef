/** hapi plugin: the revocation list of the current root, for whoever checks agents' certificates elsewhere. The relay itself asks its registry. */
import type { Plugin } from '@hapi/hapi';
import type { Authority } from '../../authority/authority.ts';
import type { Clock } from '../../clock.ts';
import type { ManagementGroup } from '../../management-group/management-group.ts';

/** Where the list is. */
export const REVOCATION_LIST_PATH = '/pki/relay.crl';

const DAY_MS = 86_400_000;
/** Anybody may ask, so it is made once a minute at most. */
const MADE_AGAIN_AFTER_MS = 60_000;
/** Clocks differ. */
const CLOCK_SKEW_MS = 5 * 60_000;

export interface RevocationListOptions {
  readonly group: Pick<ManagementGroup, 'issued'>;
  readonly authority: Pick<Authority, 'revocationList' | 'rootFingerprint'>;
  readonly oldCertificateGraceMs: number;
  readonly clock: Clock;
}

export const revocationListPlugin: Plugin<RevocationListOptions> = {
  name: 'revocation-list',
  register(server, { group, authority, oldCertificateGraceMs, clock }) {
    let last: { readonly der: Buffer; readonly root: string; readonly madeAt: number } | undefined;

    const list = (): Buffer => {
      const now = clock.now();
      const root = authority.rootFingerprint;
      if (last?.root === root && now >= last.madeAt && now < last.madeAt + MADE_AGAIN_AFTER_MS) return last.der;
      const revoked = group.issued.revoked(root, oldCertificateGraceMs);
      const der = authority.revocationList({ revoked, thisUpdate: now - CLOCK_SKEW_MS, nextUpdate: now + DAY_MS });
      last = { der, root, madeAt: now };
      return der;
    };

    server.route({
      method: 'GET',
      path: REVOCATION_LIST_PATH,
      handler: (_request, h) => h.response(list()).type('application/pkix-crl'),
      options: { auth: false },
    });
  },
};
