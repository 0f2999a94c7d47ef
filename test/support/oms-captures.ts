import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../fixtures/oms-agent');

/** The workspace every capture was sent for. */
export const CAPTURED_WORKSPACE = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f';
/** The agent that sent them. */
export const CAPTURED_AGENT = '7d54bebf-7428-4660-a7e5-ba4b04f1144f';
/** The workspace's shared key that signed capture 001. */
export const CAPTURED_SHARED_KEY: Buffer = Buffer.from('Hzhs4pot4sffOniCBqEBgzCfqmNaQEZSmWR/Y7Je9P18UhewcwAIHUj9wzCZMI5lO6BUaFxjqlKTbSDMMaSqtA==', 'base64');

/** A request as the unmodified Linux agent sent it. */
export interface OmsCapture {
  /** Three digits, such as `001`. */
  readonly number: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** In order, names as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The bytes as sent: still deflated where Content-Encoding says so. */
  readonly body: Buffer;
  readonly tls: CapturedTls;
}

export interface CapturedTls {
  /** The SNI. */
  readonly serverName: string;
  readonly protocol: string;
  /** Undefined when the client presented none. */
  readonly clientCertificate: CapturedCertificate | undefined;
}

export interface CapturedCertificate {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly commonNames: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

interface CaptureFile {
  readonly received: string;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly tls: {
    readonly servername: string;
    readonly protocol: string;
    readonly clientCert: {
      readonly subject: { readonly CN: readonly string[] };
      readonly fingerprint256: string;
      readonly validFrom: string;
      readonly validTo: string;
    } | null;
  };
}

/** Every capture, in the order in which they were sent. */
export function readCaptures(): OmsCapture[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map(read);
}

/** One capture, by its three digits. Throws when there is none. */
export function readCapture(number: string): OmsCapture {
  const file = readdirSync(FOLDER).find((candidate) => candidate.startsWith(`${number}-`) && candidate.endsWith('.json'));
  if (!file) throw new Error(`There is no capture ${number} in ${FOLDER}.`);
  return read(file);
}

/** The value of a header, whatever the case of its name; undefined when it was not sent. */
export function headerOf(capture: OmsCapture, name: string): string | undefined {
  return capture.headers.find(([candidate]) => candidate.toLowerCase() === name.toLowerCase())?.[1];
}

/** The headers as Node gives them to a server: names in lower case. */
export function headersOf(capture: OmsCapture): Record<string, string> {
  return Object.fromEntries(capture.headers.map(([name, value]) => [name.toLowerCase(), value]));
}

/** DER of the certificate in the body of a topology or renewal request. Throws when there is none. */
export function certificateIn(capture: OmsCapture): Buffer {
  const base64 = /<(AuthenticationCertificate|NewCertificate)>([^<]+)</.exec(capture.body.toString())?.[2];
  if (!base64) throw new Error(`Capture ${capture.number} holds no certificate.`);
  return Buffer.from(base64, 'base64');
}

function read(file: string): OmsCapture {
  const facts = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as CaptureFile;
  const { received, method, url, headers, tls } = facts;
  const { servername: serverName, protocol } = tls;
  const number = file.slice(0, 3);
  return {
    number,
    receivedAt: Date.parse(received),
    method,
    url,
    headers,
    body: bodyOf(file),
    tls: { serverName, protocol, clientCertificate: certificateOf(facts) },
  };
}

function bodyOf(file: string): Buffer {
  const path = join(FOLDER, file.replace(/json$/, 'body'));
  return readFileSync(existsSync(path) ? path : `${path}.raw`);
}

function certificateOf(facts: CaptureFile): CapturedCertificate | undefined {
  const certificate = facts.tls.clientCert;
  if (!certificate) return undefined;
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    commonNames: certificate.subject.CN,
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}
