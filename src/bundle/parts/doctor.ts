import { examine } from '../../doctor/doctor.ts';
import { reportOf } from '../../doctor/report.ts';
import type { Part } from '../part.ts';
import { type BundleSite, NO_CONFIGURATION } from '../site.ts';

const STEP_MS = 3_000;
const ALL_MS = 45_000;

/** What `relay doctor` finds; it sends no record. */
export function doctorPart({ configured, version, now }: BundleSite): Part {
  return {
    file: 'doctor.txt',
    what: 'what relay doctor finds: disk, Redis, certificates, ports, clock, the way to each workspace',
    limitMs: ALL_MS,
    async gather() {
      if (!configured.usable) return { leftOut: NO_CONFIGURATION };
      const { configuration, file } = configured;
      const { workspaces } = configuration;
      return { text: `${reportOf(await examine({ configuration, file, version, limitMs: STEP_MS, upload: false, workspaces, now }))}\n` };
    },
  };
}
