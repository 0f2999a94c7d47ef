import { generateKeyPairSync } from 'node:crypto';
import { createSigningRequest } from '../../../src/authority/signing-request.ts';
import { seeded } from '../../support/seeded.ts';

/** Two good signing requests, by EC and by RSA. */
export function goodRequests(): readonly Buffer[] {
  return [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey].map((key) =>
    createSigningRequest(key.export({ type: 'pkcs8', format: 'pem' }).toString(), 'fuzz'),
  );
}

/** Signing requests that are none, without end but the same ones for a seed: chance, what is cut off, what is nested, and good ones with bytes changed. */
export function* garbage(seed: number, good: readonly Buffer[]): Generator<Buffer> {
  const next = seeded(seed);
  const upTo = (limit: number): number => Math.floor(next() * limit);
  const random = (length: number): Buffer => Buffer.from(Array.from({ length }, () => upTo(256)));
  const mutate = (der: Buffer): Buffer => {
    const changed = Buffer.from(der);
    for (let change = 0; change <= upTo(8); change++) changed[upTo(changed.length)] = upTo(256);
    return changed;
  };
  const kinds = [
    (): Buffer => random(1 + upTo(2_000)),
    (): Buffer => Buffer.concat([Buffer.from('3082', 'hex'), random(1 + upTo(500))]),
    (der: Buffer): Buffer => der.subarray(0, 1 + upTo(der.length)),
    (): Buffer => Buffer.alloc(2 * (1 + upTo(8_000)), Buffer.from(next() < 0.5 ? '3080' : 'a080', 'hex')),
    mutate,
    mutate,
    mutate,
  ];
  for (;;) {
    const kind = kinds[upTo(kinds.length)] ?? mutate;
    yield kind(good[upTo(2)] ?? Buffer.alloc(0));
  }
}
