import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { inflateSync } from 'node:zlib';
import { openAuthority } from '../../src/authority/authority.ts';
import { type Fingerprint, fingerprintOf } from '../../src/authority/x509.ts';
import { checkOnboarding } from '../../src/oms-protocol/onboarding.ts';
import { RENEW_PATH, TOPOLOGY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { writeRefusal } from '../../src/oms-protocol/refusal-body.ts';
import { writeTopologyReply } from '../../src/oms-protocol/topology-reply.ts';
import { readRenewalRequest, readTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { makeTestFolder } from './test-folder.ts';

export const WORKSPACE: WorkspaceId = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
export const KEY: string = Buffer.alloc(64, 'enrolment key').toString('base64');

export interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The client certificate's. */
  readonly fingerprint: Fingerprint | undefined;
}

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface FakeRelay extends AsyncDisposable {
  readonly address: string;
  readonly root: string;
  readonly rootFingerprint: string;
  readonly seen: Seen[];
  /** Certificates that enrolled or renewed. */
  readonly known: Set<string>;
  /** Asks for a new certificate in every topology reply while true. */
  renew: boolean;
  /** Answers in the usual one's place; undefined leaves it, `never` leaves the request without an answer. */
  answer: (request: Seen) => FakeAnswer | 'never' | undefined;
  uploads(): Seen[];
}

/** A small relay on loopback with mutual TLS: its own root, sent after the server's certificate. It knows the certificates that enrolled. */
export async function startFakeRelay(): Promise<FakeRelay> {
  const folder = await makeTestFolder();
  const authority = await openAuthority(join(folder.path, 'authority'), Date.now);
  const identity = await authority.serverIdentity(['127.0.0.1', 'localhost'], 30);
  const tls = { cert: identity.certificate + authority.root, key: identity.privateKey, requestCert: true, rejectUnauthorized: false };
  const server = createServer(tls, (request, response) => void serve(relay, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay: FakeRelay = {
    address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    root: authority.root,
    rootFingerprint: authority.rootFingerprint,
    seen: [],
    known: new Set(),
    renew: false,
    answer: () => undefined,
    uploads: () => relay.seen.filter(({ path }) => path === UPLOAD_PATH),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await folder[Symbol.asyncDispose]();
    },
  };
  return relay;
}

async function serve(relay: FakeRelay, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = (request.socket as TLSSocket).getPeerCertificate().raw;
  const seen: Seen = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks), fingerprint: raw && fingerprintOf(raw) };
  relay.seen.push(seen);
  const answer = relay.answer(seen) ?? usual(relay, seen, raw);
  if (answer === 'never') return;
  const { status, headers = {}, body = '' } = answer;
  response.writeHead(status, headers).end(body);
}

function usual(relay: FakeRelay, request: Seen, peerCertificate: Buffer | undefined): FakeAnswer {
  if (request.headers.authorization !== undefined) {
    const outcome = checkOnboarding({
      headers: {
        authorization: request.headers.authorization,
        date: String(request.headers['x-ms-date']),
        contentHash: String(request.headers['x-ms-sha256_content']),
      },
      body: request.body,
      peerCertificate,
      now: Date.now(),
      maxSkewMs: 60_000,
      keysOf: () => [{ id: 'one', key: Buffer.from(KEY, 'base64') }],
    });
    if (!outcome.accepted) return { status: 403, body: writeRefusal(outcome.reason, outcome.message) };
    relay.known.add(outcome.certificate.fingerprint);
  }
  if (!request.fingerprint || !relay.known.has(request.fingerprint)) return { status: 403, body: writeRefusal('UnknownAgent', 'Enrol this agent first.') };
  return answerKnown(relay, request);
}

function answerKnown(relay: FakeRelay, request: Seen): FakeAnswer {
  if (request.path === TOPOLOGY_PATH && readTopologyRequest(request.body)) {
    const renewalAddress = `https://relay.invalid${RENEW_PATH}`;
    const intervals = { topologyIntervalS: 120, telemetryIntervalS: 300 };
    const body = writeTopologyReply({
      renewalAddress,
      renewCertificate: relay.renew,
      configurationAddress: 'https://relay.invalid/',
      ...intervals,
      id: WORKSPACE,
    });
    return { status: 200, body };
  }
  const renewed = request.path === RENEW_PATH ? readRenewalRequest(request.body) : undefined;
  if (renewed) relay.known.add(fingerprintOf(renewed));
  return { status: renewed || request.path === UPLOAD_PATH ? 200 : 404 };
}

export interface UploadedBody {
  readonly DataType: string;
  readonly IPName: string;
  readonly DataItems: Record<string, unknown>[];
}

/** What an upload holds. */
export function readUpload(upload: Seen): UploadedBody {
  return JSON.parse(inflateSync(upload.body).toString()) as UploadedBody;
}
