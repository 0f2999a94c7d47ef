import { type Fingerprint, fingerprintOf } from '../authority/x509.ts';
import type { Agent, AgentCertificate } from './agent.ts';
import type { Registry } from './registry.ts';

/** Clocks differ: a certificate is taken this long before it begins, in milliseconds. */
const CLOCK_SKEW_MS = 15 * 60_000;

/** From a client certificate to an agent, or why not. Every refusal tells the machine's operator what to do. */
export type Identification =
  | { readonly known: true; readonly agent: Agent; readonly certificate: AgentCertificate }
  | {
      readonly known: false;
      readonly reason: 'no-certificate' | 'unknown-certificate' | 'certificate-expired' | 'certificate-replaced';
      readonly message: string;
    };

export interface IdentifySettings {
  readonly now: () => number;
  /** How long a certificate is accepted after its agent has renewed it, in milliseconds. */
  readonly oldCertificateGraceMs: number;
  /** How long after its end a certificate is still known, in milliseconds: for what renews it, and for nothing else. */
  readonly expiredGraceMs?: number | undefined;
}

/** Finds the agent of a client certificate's DER. A self-signed certificate is as good as any: it is known by its fingerprint. */
export function identify(registry: Registry, der: Uint8Array | undefined, settings: IdentifySettings): Identification {
  return der
    ? identifyFingerprint(registry, fingerprintOf(der), settings)
    : refused('no-certificate', 'The connection has no client certificate. Enrol this machine, then connect with its certificate.');
}

/** The same for a fingerprint that is known already. */
export function identifyFingerprint(registry: Registry, fingerprint: Fingerprint, settings: IdentifySettings): Identification {
  const found = registry.find(fingerprint);
  if (!found) return refused('unknown-certificate', `No agent has enrolled with the certificate ${fingerprint.slice(0, 16)}…. Enrol this machine again.`);
  const { certificate } = found;
  const now = settings.now();
  if (now < certificate.notBefore - CLOCK_SKEW_MS) {
    return refused('certificate-expired', `The certificate begins on ${day(certificate.notBefore)}, and here it is ${day(now)}. Check both clocks.`);
  }
  if (now > certificate.notAfter + (settings.expiredGraceMs ?? 0)) {
    return refused(
      'certificate-expired',
      `The certificate ended on ${day(certificate.notAfter)}, and here it is ${day(now)}. It is taken for its renewal alone, and for as long as enrolment.expiredCertificates says. Renew it, or enrol this machine again; its id stays.`,
    );
  }
  if (certificate.replacedAt !== undefined && now > certificate.replacedAt + settings.oldCertificateGraceMs) {
    return refused(
      'certificate-replaced',
      `The agent renewed this certificate on ${day(certificate.replacedAt)}. Use the new one, or enrol this machine again.`,
    );
  }
  return { known: true, ...found };
}

function refused(reason: Exclude<Identification, { known: true }>['reason'], message: string): Identification {
  return { known: false, reason, message };
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
