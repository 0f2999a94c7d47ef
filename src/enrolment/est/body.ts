/** How EST wraps what it carries: base64 in lines (RFC 7030 §4, RFC 8951 §3). What comes may also be plain DER or PEM. */

const PEM = /^-----BEGIN [A-Z ]{1,40}-----\s([\s\S]*?)-----END [A-Z ]{1,40}-----\s*$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** SEQUENCE: how every DER begins that is sent here, and no base64 does. */
const DER_BEGINS = 0x30;
const LINE = /.{1,76}/g;

/** The DER in a request's body; undefined when it is none of the three. */
export function readDer(body: Buffer): Buffer | undefined {
  // 0x30 is also the digit 0, which base64 of a SEQUENCE never begins with.
  if (body[0] === DER_BEGINS) return body;
  const text = body.toString('latin1').trim();
  const base64 = (PEM.exec(text)?.[1] ?? text).replace(/\s+/g, '');
  return BASE64.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}

/** A DER as the body of an answer. */
export function writeDer(der: Buffer): string {
  return `${(der.toString('base64').match(LINE) ?? []).join('\n')}\n`;
}
