/**
 * PKCS#12 (RFC 7292): key and certificate in one file, as Windows takes them. Both are sealed by PBES2 (PBKDF2 with HMAC-SHA256, AES-256-CBC),
 * the whole by an HMAC-SHA256: Windows 10 1709, Windows Server 2019 and later read this. node-forge writes the ASN.1, OpenSSL encrypts.
 */
import { createCipheriv, createHash, createHmac, type KeyObject, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { RelayError } from '../errors.ts';
import { type Asn1, context, integer, nothing, octetString, oid, primitive, sequence, set, toDer } from './der.ts';

const derive = promisify(pbkdf2);

const ITERATIONS = 100_000;
const SALT_BYTES = 16;
/** SHA-256's block, of which the salt and the password of the MAC are filled up to whole ones (RFC 7292 appendix B.2). */
const BLOCK_BYTES = 64;
const MAC_KEY_ID = 3;
const LEAST_PASSWORD = 8;

const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacWithSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
};

export interface Pkcs12Content {
  readonly privateKey: KeyObject;
  /** DER, as the chain. */
  readonly certificate: Buffer;
  readonly chain: readonly Buffer[];
  /** How Windows lists the certificate. */
  readonly name: string;
  /** 8 or more printable ASCII characters: programs disagree about the encoding of others. */
  readonly password: string;
}

/** Makes the file's bytes. Throws `relay.authority.bad-password`. */
export async function createPkcs12({ privateKey, certificate, chain, name, password }: Pkcs12Content): Promise<Buffer> {
  if (!/^[\x20-\x7e]*$/.test(password) || password.length < LEAST_PASSWORD)
    throw new RelayError('relay.authority.bad-password', `A password for PKCS#12 is ${LEAST_PASSWORD} or more printable ASCII characters; this one is not.`);
  const keyId = createHash('sha1').update(certificate).digest();
  const ofOurs = set(attribute(OID.friendlyName, bmpString(name)), attribute(OID.localKeyId, octetString(keyId)));
  const certificates = sequence(certificateBag(certificate, [ofOurs]), ...chain.map((der) => certificateBag(der, [])));
  const shrouded = await sealed(privateKey.export({ type: 'pkcs8', format: 'der' }), password);
  const keyBag = sequence(oid(OID.shroudedKeyBag), context(0, [sequence(shrouded.algorithm, octetString(shrouded.bytes))]), ofOurs);
  const content = toDer(sequence(encryptedContent(await sealed(toDer(certificates), password)), plainContent(toDer(sequence(keyBag)))));
  return toDer(sequence(integer('\x03'), plainContent(content), macOf(content, password)));
}

function plainContent(bytes: Buffer): Asn1 {
  return sequence(oid(OID.data), context(0, [octetString(bytes)]));
}

function encryptedContent({ algorithm, bytes }: Sealed): Asn1 {
  return sequence(oid(OID.encryptedData), context(0, [sequence(integer('\x00'), sequence(oid(OID.data), algorithm, context(0, bytes)))]));
}

function certificateBag(der: Buffer, attributes: readonly Asn1[]): Asn1 {
  return sequence(oid(OID.certificateBag), context(0, [sequence(oid(OID.x509Certificate), context(0, [octetString(der)]))]), ...attributes);
}

function attribute(id: string, value: Asn1): Asn1 {
  return sequence(oid(id), set(value));
}

interface Sealed {
  readonly algorithm: Asn1;
  readonly bytes: Buffer;
}

// RFC 8018 §6.2
async function sealed(plain: Buffer, password: string): Promise<Sealed> {
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(SALT_BYTES)];
  const key = await derive(password, salt, ITERATIONS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const derivation = sequence(oid(OID.pbkdf2), sequence(octetString(salt), whole(ITERATIONS), sequence(oid(OID.hmacWithSha256), nothing())));
  const algorithm = sequence(oid(OID.pbes2), sequence(derivation, sequence(oid(OID.aes256Cbc), octetString(iv))));
  return { algorithm, bytes: Buffer.concat([cipher.update(plain), cipher.final()]) };
}

function macOf(content: Buffer, password: string): Asn1 {
  const salt = randomBytes(SALT_BYTES);
  const digest = createHmac('sha256', macKey(password, salt)).update(content).digest();
  return sequence(sequence(sequence(oid(OID.sha256), nothing()), octetString(digest)), octetString(salt), whole(ITERATIONS));
}

// RFC 7292 appendix B.2; one block of SHA-256 is the whole key, so that its step 6.C is never needed.
function macKey(password: string, salt: Buffer): Buffer {
  const blocks = [Buffer.alloc(BLOCK_BYTES, MAC_KEY_ID), filled(salt), filled(bmpBytes(`${password}\0`))];
  let key = createHash('sha256').update(Buffer.concat(blocks)).digest();
  for (let round = 1; round < ITERATIONS; round += 1) key = createHash('sha256').update(key).digest();
  return key;
}

function filled(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES, bytes);
}

function bmpBytes(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

function bmpString(text: string): Asn1 {
  return primitive(forge.asn1.Type.BMPSTRING, bmpBytes(text).toString('binary'));
}

function whole(value: number): Asn1 {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return integer(((bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes).toString('binary'));
}
