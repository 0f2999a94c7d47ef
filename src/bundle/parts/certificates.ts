import { X509Certificate } from 'node:crypto';
import type { Configuration } from '../../configuration/schema.ts';
import { certificatesOf } from '../../doctor/examine-relay.ts';
import { readFileIfAny } from '../../files.ts';
import { asJson, type Part } from '../part.ts';
import { type BundleSite, NO_CONFIGURATION } from '../site.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
/** A file of the system's authorities holds hundreds. */
const MOST_PER_FILE = 20;

/** What the relay's certificates, and those it trusts, say of themselves. */
export function certificatesPart({ relay, configured }: BundleSite): Part {
  return {
    file: 'certificates.json',
    what: 'certificates: subjects, issuers, serial numbers, ends, fingerprints; never a key',
    async gather() {
      if (!configured.usable) return { leftOut: NO_CONFIGURATION };
      const files = await Promise.all(filesOf(configured.configuration).map(async ({ what, file }) => ({ what, file, ...(await readFacts(file)) })));
      return asJson({ files, endsToWatch: relay.runs ? relay.status.certificates : relay.reason });
    },
  };
}

function filesOf(configuration: Configuration): { readonly what: string; readonly file: string }[] {
  const trusted = configuration.workspaces.flatMap(({ name, trustFile }) =>
    trustFile === undefined ? [] : [{ what: `authorities that ${name} is verified by`, file: trustFile }],
  );
  return [...certificatesOf(configuration), ...trusted].map(({ what, file }) => ({ what, file }));
}

async function readFacts(file: string): Promise<object> {
  try {
    const text = (await readFileIfAny(file))?.toString();
    if (text === undefined) return { problem: 'there is no such file' };
    const found = text.match(CERTIFICATE) ?? [];
    return { certificates: found.slice(0, MOST_PER_FILE).map(factsOf), ...(found.length > MOST_PER_FILE ? { more: found.length - MOST_PER_FILE } : {}) };
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code ?? 'it cannot be read' };
  }
}

function factsOf(pem: string): object {
  try {
    const { subject, issuer, serialNumber, validFrom, validTo, fingerprint256, subjectAltName, ca, publicKey } = new X509Certificate(pem);
    const algorithm = [publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails?.namedCurve ?? publicKey.asymmetricKeyDetails?.modulusLength].join(' ');
    return { subject, issuer, serialNumber, validFrom, validTo, fingerprint256, subjectAltName, isAuthority: ca, algorithm };
  } catch {
    return { problem: 'it is no certificate' };
  }
}
