/**
 * Signing requests (PKCS#10, RFC 2986). A request comes from a stranger: nothing of it is believed but its public key, and that only
 * after the request's signature has shown that the sender has the private key.
 */
import { createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CertificationRequest } from '@peculiar/asn1-csr';
import { AsnConvert } from '@peculiar/asn1-schema';
import { messageOf } from '../errors.ts';
import { context, fromDer, integer, sequence } from './der.ts';
import { name, publicKeyOf, signed, spkiOf } from './x509-fields.ts';

/** Largest request read, in bytes of DER. */
export const MAX_SIGNING_REQUEST_BYTES: number = 16 * 1024;

const RSA_BITS = { least: 2048, most: 4096 };
// By name only: parameters written out could describe a curve that merely looks like one of these.
const CURVES = ['06082a8648ce3d030107', '06052b81040022'];
// A huge exponent makes every check of a signature slow.
const RSA_EXPONENT = { least: 65_537n, most: 2n ** 32n };

const KEY_TYPE = new Map([
  ['1.2.840.113549.1.1.1', 'rsa'],
  ['1.2.840.10045.2.1', 'ec'],
]);

interface SignatureKind {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly key: 'rsa' | 'ec';
}

const SIGNATURES: ReadonlyMap<string, SignatureKind> = new Map<string, SignatureKind>([
  ['1.2.840.10045.4.3.2', { hash: 'sha256', key: 'ec' }],
  ['1.2.840.10045.4.3.3', { hash: 'sha384', key: 'ec' }],
  ['1.2.840.10045.4.3.4', { hash: 'sha512', key: 'ec' }],
  ['1.2.840.113549.1.1.11', { hash: 'sha256', key: 'rsa' }],
  ['1.2.840.113549.1.1.12', { hash: 'sha384', key: 'rsa' }],
  ['1.2.840.113549.1.1.13', { hash: 'sha512', key: 'rsa' }],
]);

/** What a signing request brings, or why it is of no use, in words for the sender. */
export type SigningRequest = { readonly readable: true; readonly publicKey: KeyObject } | { readonly readable: false; readonly reason: string };

/** Makes the DER of a request with this key. */
export function createSigningRequest(privateKeyPem: string, commonName: string): Buffer {
  const key = createPrivateKey(privateKeyPem);
  return signed(sequence(integer('\x00'), name([['CN', commonName]]), fromDer(spkiOf(publicKeyOf(key))), context(0, [])), key);
}

/** Reads a request's DER, 16 KiB at most: RSA of 2048 to 4096 bits or EC P-256 or P-384, signed by that key with SHA-256 or longer. Never throws. */
export function readSigningRequest(der: Uint8Array): SigningRequest {
  if (der.length === 0 || der.length > MAX_SIGNING_REQUEST_BYTES)
    return unreadable(`it has ${der.length} bytes, and 1 to ${MAX_SIGNING_REQUEST_BYTES} are read`);
  try {
    return read(der);
  } catch (error) {
    return unreadable(`it is no PKCS#10 request in DER: ${messageOf(error).slice(0, 200)}`);
  }
}

function read(der: Uint8Array): SigningRequest {
  const request = AsnConvert.parse(der, CertificationRequest);
  const { certificationRequestInfo: info, certificationRequestInfoRaw: raw } = request;
  const signature = SIGNATURES.get(request.signatureAlgorithm.algorithm);
  if (!signature) return unreadable(`its signature algorithm ${request.signatureAlgorithm.algorithm} is not taken; sign with SHA-256, SHA-384 or SHA-512`);
  const keyType = KEY_TYPE.get(info.subjectPKInfo.algorithm.algorithm);
  if (keyType !== signature.key) return unreadable('its key is neither RSA nor EC, or does not fit its signature algorithm');
  const publicKey = createPublicKey({ key: Buffer.from(AsnConvert.serialize(info.subjectPKInfo)), format: 'der', type: 'spki' });
  const fault = keyType === 'ec' ? curveFault(info.subjectPKInfo.algorithm.parameters) : rsaFault(publicKey);
  if (fault !== undefined) return unreadable(fault);
  if (!raw || !verify(signature.hash, Buffer.from(raw), publicKey, Buffer.from(request.signature)))
    return unreadable('its signature was not made with the private key that belongs to it');
  return { readable: true, publicKey };
}

function curveFault(parameters: ArrayBuffer | null | undefined): string | undefined {
  return CURVES.includes(Buffer.from(parameters ?? new ArrayBuffer()).toString('hex')) ? undefined : 'its curve is not taken; use P-256 or P-384, by name';
}

function rsaFault(key: KeyObject): string | undefined {
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (bits < RSA_BITS.least || bits > RSA_BITS.most) return `its RSA key has ${bits} bits; use ${RSA_BITS.least} to ${RSA_BITS.most}`;
  if (exponent < RSA_EXPONENT.least || exponent > RSA_EXPONENT.most) return `its RSA key has the exponent ${String(exponent).slice(0, 20)}; use 65537`;
  return undefined;
}

function unreadable(reason: string): SigningRequest {
  return { readable: false, reason };
}
