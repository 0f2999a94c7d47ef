/** hapi plugin: what a relay answers to the others of its group. Each is known by its member certificate, asked again at every request. */
import type { Lifecycle, Plugin, Request, RouteOptions } from '@hapi/hapi';
import { RelayError } from '../errors.ts';
import type { GroupFile } from './group-file.ts';
import { type Member, memberOf } from './member.ts';
import { type Claim, claimOf } from './membership.ts';
import { certificateRequest, claimSchema, type ForwardedRequest, forwardedRequest, joinRequest, readMessage } from './messages.ts';
import { CERTIFICATE_PATH, FORWARD_PATH, HAND_OVER_PATH, HEARD_PATH, JOIN_PATH, LEAVE_PATH, PRIMARY_PATH, SNAPSHOT_PATH } from './paths.ts';
import type { PackedSnapshot } from './snapshot.ts';
import type { Snapshots } from './snapshots.ts';

const MAX_REQUEST_BYTES = 1024 * 1024;
const LONGEST_WAIT_S = 30;

/** Somebody asks to join. */
export interface Newcomer {
  readonly secret: string;
  readonly name: string;
  readonly address: string;
  /** DER of its signing request. */
  readonly request: Buffer;
}

export interface GroupPluginOptions {
  /** Undefined: in no group. */
  readonly file: () => GroupFile | undefined;
  readonly snapshots: Pick<Snapshots, 'current' | 'latest' | 'wait'>;
  readonly peerCertificate: (request: Request) => Buffer | undefined;
  readonly now: () => number;
  /** Lets a relay in. Throws `relay.group.bad-token` and others. */
  readonly join: (newcomer: Newcomer, from: string) => Promise<object>;
  /** A member says that it is the primary; gives whom this relay takes for that now. */
  readonly heard: (from: Member, claim: Claim) => Promise<object>;
  /** Makes way for a member. */
  readonly handOver: (to: Member) => Promise<PackedSnapshot>;
  readonly renew: (member: Member, request: Buffer) => Promise<object>;
  readonly leave: (member: Member) => Promise<void>;
  /** What this relay has heard of agents since a time. */
  readonly heardSince: (since: number) => readonly unknown[];
  readonly run: (request: ForwardedRequest) => Promise<object>;
}

/** Handles a request of a member; of the primary's group, where it says so. */
type MemberHandler = (request: Request, member: Member, h: Parameters<Lifecycle.Method>[1]) => Promise<Lifecycle.ReturnValue>;

export const groupPlugin: Plugin<GroupPluginOptions> = {
  name: 'group',
  register(server, group) {
    const ofMember =
      (handler: MemberHandler): Lifecycle.Method =>
      (request, h) =>
        handler(request, memberIn(request, group), h);
    const ofPrimary =
      (handler: MemberHandler): Lifecycle.Method =>
      (request, h) => {
        const member = memberIn(request, group);
        const file = fileOf(group);
        // Who asks learns whom to ask.
        return file.primary === file.id ? handler(request, member, h) : h.response(claimOf(file)).code(409);
      };

    const snapshot: MemberHandler = async (request, _member, h) => {
      const known = String(request.headers['if-none-match'] ?? '').replaceAll('"', '');
      const waitMs = Math.min(Math.max(Number(request.query['wait'] ?? 0) || 0, 0), LONGEST_WAIT_S) * 1_000;
      if (known !== '') await group.snapshots.wait(known, waitMs, (leave) => request.raw.res.once('close', leave));
      // Much may have happened while it waited.
      memberIn(request, group);
      // Who does not wait wants to see what it has just changed.
      const { version, bytes } = await (waitMs > 0 ? group.snapshots.latest() : group.snapshots.current());
      const answer = version === known ? h.response().code(304) : h.response(bytes).type('application/octet-stream');
      return answer.header('etag', `"${version}"`);
    };
    const join: Lifecycle.Method = async (request) => {
      const { request: signing, ...wanted } = readMessage(joinRequest, request.payload as Buffer);
      return await group.join({ ...wanted, request: Buffer.from(signing, 'base64') }, request.info.remoteAddress);
    };
    const post = (path: string, handler: Lifecycle.Method): { method: 'POST'; path: string; handler: Lifecycle.Method; options: RouteOptions } => ({
      method: 'POST',
      path,
      handler,
      options: { auth: false, payload: { parse: false, output: 'data', override: 'application/octet-stream', maxBytes: MAX_REQUEST_BYTES } },
    });
    const handOver: MemberHandler = async (_request, member, h) => h.response((await group.handOver(member)).bytes).type('application/octet-stream');
    const heardSince: MemberHandler = async (request, _member, h) => h.response([...group.heardSince(Number(request.query['since'] ?? 0) || 0)]);
    const leave: MemberHandler = async (_request, member, h) => {
      await group.leave(member);
      return h.response().code(204);
    };

    server.route([
      { method: 'GET', path: SNAPSHOT_PATH, handler: ofPrimary(snapshot), options: { auth: false } },
      { method: 'GET', path: HEARD_PATH, handler: ofMember(heardSince), options: { auth: false } },
      post(JOIN_PATH, join),
      post(
        PRIMARY_PATH,
        ofMember((request, member) => group.heard(member, readMessage(claimSchema, request.payload as Buffer))),
      ),
      post(HAND_OVER_PATH, ofPrimary(handOver)),
      post(
        CERTIFICATE_PATH,
        ofPrimary((request, member) => group.renew(member, signingRequestIn(request))),
      ),
      post(LEAVE_PATH, ofPrimary(leave)),
      post(
        FORWARD_PATH,
        ofPrimary((request) => group.run(readMessage(forwardedRequest, request.payload as Buffer))),
      ),
    ]);
  },
};

function signingRequestIn(request: Request): Buffer {
  return Buffer.from(readMessage(certificateRequest, request.payload as Buffer).request, 'base64');
}

function fileOf({ file }: GroupPluginOptions): GroupFile {
  const found = file();
  if (found) return found;
  throw new RelayError('relay.group.not-a-member', 'This relay is in no group.');
}

function memberIn(request: Request, group: GroupPluginOptions): Member {
  const member = memberOf(fileOf(group).members, group.peerCertificate(request), group.now());
  if (member) return member;
  throw new RelayError(
    'relay.group.not-a-member',
    'The certificate of this connection is none of a relay of the group, or it was removed, or was off for too long. Have it join anew: relay group token, relay group join',
  );
}
