/**
 * Several relays as one management group. One of them, the primary, is the only one where anything is decided: who may send, with which keys, under
 * which root. The others keep a full copy, pulled from it, and go on with it for as long as the primary is away: they know agents, take, keep
 * and deliver. Each delivers its own cache.
 */
import { X509Certificate } from 'node:crypto';
import type { Request, Server } from '@hapi/hapi';
import { createPrivateKeyPem, type Identity } from '../authority/agent-identity.ts';
import { renewalDue } from '../authority/authority.ts';
import { createSigningRequest } from '../authority/signing-request.ts';
import { every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { AgentKey } from '../management-group/agent.ts';
import { createAnnouncing } from './announcing.ts';
import { type AnsweringParts, createAnswering } from './answering.ts';
import { createFollower } from './follower.ts';
import { type ForwardingParts, forwardBy, runForwarded } from './forwarding.ts';
import type { GroupFile } from './group-file.ts';
import type { GroupParts } from './group-parts.ts';
import { createHearsay, type Heard, heardSince } from './hearsay.ts';
import { issueForSelf } from './issuing.ts';
import { memberHost } from './member.ts';
import { entryOf } from './member-identity.ts';
import { type Claim, claimOf, following, primaryOf, renewed } from './membership.ts';
import { certificateAnswer, readMessage } from './messages.ts';
import { CERTIFICATE_PATH, FORWARD_PATH } from './paths.ts';
import { createPeerLink, type PeerLink } from './peer-link.ts';
import { groupPlugin } from './plugin.ts';
import type { Snapshot } from './snapshot.ts';
import { createSnapshots } from './snapshots.ts';
import type { GroupStatus } from './status.ts';
import { statusOf } from './status-of.ts';
import { createSteering, type Steering } from './steering.ts';
import { takeOver } from './taking-over.ts';

const RENEW_EVERY_MS = 3_600_000;
const FORWARD_MS = 20_000;

export interface RelayGroup {
  readonly steering: Steering;
  /** Answers the other relays, and hands on what only the primary decides. */
  register(server: Server): Promise<void>;
  /** What another relay of the group has heard of an agent. */
  heardElsewhere(agent: AgentKey): Heard | undefined;
  /** Undefined in no group. */
  status(): GroupStatus | undefined;
  /** Asks the others who the primary is, 3 s at most, then keeps up with them. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Asks the others now what they have heard of agents. */
  askHeard(): Promise<void>;
  /** Renews the certificate by which the others know this relay, whatever its age. */
  renewNow(): Promise<void>;
  /** Tells of the name and certificate that the others of the group ask for, now and when they change. The function returned ends that. */
  watchIdentity(listener: (host: string, identity: Identity) => void): () => void;
}

export interface RelayGroupParts extends GroupParts, Pick<AnsweringParts, 'attempts'>, Pick<ForwardingParts, 'onForwarded'> {
  /** DER of the client certificate that a request came with. */
  readonly peerCertificate: (request: Request) => Buffer | undefined;
}

export function createRelayGroup(parts: RelayGroupParts): RelayGroup {
  const { state, identity, authority, clock, log } = parts;
  const link = createPeerLink({ identity: identity.current, roots: () => authority.roots().trusted });
  let missingWorkspaces: readonly string[] = [];
  const believe = (claim: Claim): Promise<void> => state.change((before) => before && following(before, claim));
  const adopt = async (snapshot: Snapshot): Promise<void> => {
    await takeOver(snapshot, parts);
    missingWorkspaces = sayMissing(snapshot, missingWorkspaces, parts);
  };
  const snapshots = createSnapshots({ take: () => takeSnapshot(parts), stamp: () => stampOf(parts), clock });
  const follower = createFollower({ state, link, adopt, believe, clock, log });
  const announcing = createAnnouncing({ state, link, believe, clock });
  const hearsay = createHearsay({ state, link, clock });
  const answering = createAnswering({ ...parts, snapshots, copy: follower.copy });
  const steering = createSteering({ ...parts, link, takeOver: adopt, believe, tellAll: announcing.tell });
  const stops: (() => void | Promise<void>)[] = [];

  return {
    steering,
    heardElsewhere: hearsay.of,
    askHeard: hearsay.ask,
    renewNow: () => renew(parts, link),
    async register(server) {
      const { peerCertificate, onForwarded } = parts;
      const { now } = clock;
      await server.register({
        plugin: groupPlugin,
        options: {
          file: state.current,
          snapshots,
          peerCertificate,
          now,
          ...answering,
          heardSince: (since) => heardSince(parts.group.agents(), since),
          run: (request) => runForwarded(server, request),
        },
      });
      const forward = forwardBy({
        isMember: () => state.role() === 'member',
        isPrimaryAway: () => follower.copy().trouble !== undefined,
        ask: (request) => link.call(primaryIn(state.current()), { method: 'POST', path: FORWARD_PATH, body: JSON.stringify(request), timeoutMs: FORWARD_MS }),
        refresh: follower.refresh,
        peerCertificate,
        onForwarded,
      });
      server.ext('onPreHandler', forward);
      // Before the listener waits for its requests to end.
      server.ext('onPreStop', snapshots.stop);
    },
    status: () => statusOf(state.current(), { copy: follower.copy(), newsOf: announcing.newsOf, version: snapshots.version(), missingWorkspaces }),
    async start() {
      stops.push(sayRole(parts));
      const { answered, of } = await announcing.tell();
      if (answered < of)
        log.warn({ answered, of }, 'not all relays of the group answered: had one of them become the primary meanwhile, this one would learn it when they do');
      follower.start();
      announcing.start();
      hearsay.start();
      stops.push(
        hearsay.stop,
        announcing.stop,
        every(clock, RENEW_EVERY_MS, () => renewIfDue(parts, link)),
        follower.stop,
      );
    },
    async stop() {
      for (const stop of stops.splice(0)) await stop();
      snapshots.stop();
      link.close();
    },
    watchIdentity(listener) {
      const tell = (): void => {
        const [file, own] = [state.current(), identity.current()];
        if (file && own) listener(memberHost(file.id), { certificate: own.certificate + authority.chain(), privateKey: own.privateKey });
      };
      tell();
      const ends = [state.onChange(tell), identity.onChange(tell), authority.onChange(tell)];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

function primaryIn(file: GroupFile | undefined): { readonly id: GroupFile['id']; readonly name: string; readonly address: string } {
  const primary = file && primaryOf(file);
  if (!primary) throw new Error('the group names no primary');
  return primary;
}

function takeSnapshot({ state, authority, group, routing, workspaces }: GroupParts): Snapshot {
  const file = state.current();
  if (!file) throw new Error('there is no group to take a copy of');
  return { ...claimOf(file), authority: authority.copy(), group: group.takeCopy(), rules: routing.said(), workspaces };
}

// All but the management group is small. Its rows are counted as they are written, by whomever.
function stampOf({ state, authority, group, routing }: GroupParts): string {
  return JSON.stringify([state.current(), authority.copy(), group.writes(), routing.said()]);
}

function sayMissing({ workspaces }: Snapshot, before: readonly string[], { workspaces: own, log }: GroupParts): readonly string[] {
  const missing = workspaces.filter((id) => !own.includes(id));
  if (missing.join() !== before.join() && missing.length > 0)
    log.error({ workspaces: missing }, 'the primary serves workspaces that this relay does not: their agents can send nothing here. Register them here too');
  return missing;
}

// A change of roles is rare, and somebody will ask when it was.
function sayRole({ state, log }: GroupParts): () => void {
  let before = state.role();
  return state.onChange(() => {
    const role = state.role();
    if (role !== before) log.warn({ role, before, term: state.current()?.term }, 'this relay has another part in its group');
    before = role;
  });
}

async function renewIfDue(parts: GroupParts, link: PeerLink): Promise<void> {
  const own = parts.identity.current();
  if (!parts.state.current() || !own || parts.clock.now() < renewalDue(new X509Certificate(own.certificate))) return;
  try {
    await renew(parts, link);
  } catch (error) {
    parts.log.warn({ reason: messageOf(error) }, 'the certificate by which the group knows this relay could not be renewed; it is tried again in an hour');
  }
}

// The primary enters the new one before its owner has it: whatever is lost on the way, one of the two is good.
async function renew({ state, identity, authority, log }: GroupParts, link: PeerLink): Promise<void> {
  const file = state.current();
  if (!file) return;
  if (state.role() === 'primary') {
    const next = await issueForSelf(authority, file.id);
    await state.change((before) => before && renewed(before, file.id, entryOf(next.certificate)));
    await identity.replace(next);
  } else {
    const privateKey = await createPrivateKeyPem();
    const request = createSigningRequest(privateKey, memberHost(file.id)).toString('base64');
    const answer = await link.call(primaryIn(file), { method: 'POST', path: CERTIFICATE_PATH, body: JSON.stringify({ request }) });
    if (answer.status !== 200) throw new Error(`the primary answered ${answer.status}`);
    await identity.replace({ certificate: readMessage(certificateAnswer, answer.body).certificate, privateKey });
  }
  log.info('the certificate by which the group knows this relay was renewed');
}
