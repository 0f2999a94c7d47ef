/** Everything that helps somebody far away to understand a relay, in one archive that may be mailed. Needs no running relay. */
import { hostname } from 'node:os';
import { type ArchiveFile, packArchive } from './archive.ts';
import { type GatheredParts, type GatherLimits, gatherParts } from './gather-parts.ts';
import { type KnownSecrets, readKnownSecrets } from './known-secrets.ts';
import { manifestOf } from './manifest.ts';
import type { Part } from './part.ts';
import { auditPart } from './parts/audit.ts';
import { cachePart } from './parts/cache.ts';
import { certificatesPart } from './parts/certificates.ts';
import { configurationPart } from './parts/configuration.ts';
import { doctorPart } from './parts/doctor.ts';
import { logPart } from './parts/log.ts';
import { lossesParts } from './parts/losses.ts';
import { machinePart } from './parts/machine.ts';
import { metricsPart } from './parts/metrics.ts';
import { redisPart } from './parts/redis.ts';
import { statusParts } from './parts/status.ts';
import { versionsPart } from './parts/versions.ts';
import { createScrubber } from './scrubber.ts';
import type { BundleSite } from './site.ts';

const LIMITS: GatherLimits = { ms: 15_000, bytes: 4 * 1024 * 1024 };

export interface Bundle extends GatheredParts {
  /** Of the archive, without its folder: `relay-support-<host>-<time>.tar.gz`. */
  readonly name: string;
  readonly unread: readonly string[];
  readonly manifest: string;
  /** The archive's bytes. */
  pack(): Promise<Buffer>;
}

/** Gathers all parts, and takes the secrets out of them. `credentialsFolder`: the operating system's credential store, if there is one. */
export async function gatherBundle(site: BundleSite, credentialsFolder?: string): Promise<Bundle> {
  const { configured } = site;
  const known: KnownSecrets = configured.usable ? await readKnownSecrets(configured.configuration, credentialsFolder) : { secrets: [], unread: [] };
  return await bundleOf(partsOf(site), site, known);
}

/** The same from parts that are given. */
export async function bundleOf(
  parts: readonly Part[],
  { version, now }: Pick<BundleSite, 'version' | 'now'>,
  { secrets, unread }: KnownSecrets,
): Promise<Bundle> {
  const at = now();
  const scrub = createScrubber(secrets);
  const gathered = await gatherParts(parts, scrub, LIMITS);
  const folder = `relay-support-${scrub(hostname()).replaceAll(/[^\w.-]/g, '-')}-${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const manifest = scrub(manifestOf({ ...gathered, host: hostname(), at, version, unread }));
  const files: readonly ArchiveFile[] = [{ file: 'MANIFEST.txt', text: manifest }, ...gathered.files];
  return { ...gathered, name: `${folder}.tar.gz`, unread, manifest, pack: () => packArchive(folder, files, at) };
}

function partsOf(site: BundleSite): Part[] {
  return [
    configurationPart(site),
    versionsPart(site),
    ...statusParts(site),
    doctorPart(site),
    logPart(site),
    metricsPart(site),
    cachePart(site),
    redisPart(site),
    certificatesPart(site),
    auditPart(site),
    ...lossesParts(site),
    machinePart(site),
  ];
}
