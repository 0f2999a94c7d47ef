/**
 * A fresh relay joins a group. It sends nothing before the primary has shown the root that the token names; its own key never leaves it. The file
 * that says it is a member is written once it has the group's roots: from then on it pulls what a stop in the middle left out, and before
 * that it joins again with another token.
 */
import { createPrivateKeyPem } from '../authority/agent-identity.ts';
import { presentedChain } from '../authority/presented-chain.ts';
import { createSigningRequest } from '../authority/signing-request.ts';
import { fingerprintOf, toPem } from '../authority/x509.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { GroupParts } from './group-parts.ts';
import type { JoinInvitation } from './join-token.ts';
import { memberHost, placeOf } from './member.ts';
import { type JoinAnswer, joinAnswer, readMessage } from './messages.ts';
import { JOIN_PATH } from './paths.ts';
import { createPeerLink } from './peer-link.ts';
import { unpackSnapshot } from './snapshot.ts';

// Together shorter than the command line waits.
const TIMEOUT_MS = 3_000;
const JOIN_MS = 6_000;

/** Has this relay join. Throws `relay.group.has-group`, `relay.group.not-fresh`, `relay.group.bad-token`, `relay.group.untrusted`, `relay.group.unreachable` or `relay.group.refused`. */
export async function joinGroup(invitation: JoinInvitation, own: { readonly name: string; readonly address: string }, parts: GroupParts): Promise<void> {
  const { state, identity, authority, group, routing, clock } = parts;
  if (state.current()) throw new RelayError('relay.group.has-group', 'This relay is in a group already. Look: relay group members');
  const agents = group.agents().length;
  if (agents > 0)
    throw new RelayError(
      'relay.group.not-fresh',
      `This relay has ${agents} agents of its own, which would be lost: they know another root. Join with a fresh relay, and enrol those agents with the group.`,
    );
  if (invitation.expiresAt <= clock.now())
    throw new RelayError(
      'relay.group.bad-token',
      'The token is older than 15 minutes, by the clock of this machine. Check its clock, or make another: relay group token',
    );
  const root = await rootOf(invitation);
  const privateKey = await createPrivateKeyPem();
  const { id, certificate, snapshot: bytes } = await ask(invitation, own, { root, privateKey });
  const snapshot = await unpackSnapshot(Buffer.from(bytes, 'base64'));
  await authority.adopt(snapshot.authority);
  await identity.replace({ certificate, privateKey });
  await state.change(() => ({ id, term: snapshot.term, primary: snapshot.primary, members: snapshot.members, tokens: [] }));
  group.adoptCopy(snapshot.group);
  await routing.adopt(snapshot.rules);
}

async function ask(
  { address, primary, secret }: JoinInvitation,
  { name, address: own }: { readonly name: string; readonly address: string },
  { root, privateKey }: { readonly root: string; readonly privateKey: string },
): Promise<JoinAnswer> {
  const link = createPeerLink({ identity: () => undefined, roots: () => [root] });
  try {
    const request = createSigningRequest(privateKey, name).toString('base64');
    const body = JSON.stringify({ secret, name, address: own, request });
    const answer = await link.call({ id: primary, name: 'that invites', address }, { method: 'POST', path: JOIN_PATH, body, timeoutMs: JOIN_MS });
    if (answer.status === 200) return readMessage(joinAnswer, answer.body);
    throw new RelayError('relay.group.refused', `The primary did not let this relay in (${answer.status}): ${reasonIn(answer.body)}`);
  } finally {
    link.close();
  }
}

function reasonIn(body: Buffer): string {
  try {
    const { error } = JSON.parse(body.toString()) as { error?: { message?: unknown } };
    return String(error?.message)
      .replaceAll(/\p{Cc}+/gu, ' ')
      .slice(0, 500);
  } catch {
    return 'it gave no reason';
  }
}

async function rootOf({ address, primary, rootFingerprint }: JoinInvitation): Promise<string> {
  const chain = await presentedChain({ ...placeOf(address), servername: memberHost(primary), timeoutMs: TIMEOUT_MS }).catch((cause: unknown) => {
    throw new RelayError(
      'relay.group.unreachable',
      `The primary at ${address} did not answer: ${messageOf(cause)}. Check that it runs, and the network between.`,
      {
        cause,
      },
    );
  });
  const root = chain.find((der) => fingerprintOf(der) === rootFingerprint);
  if (root) return toPem(root);
  throw new RelayError(
    'relay.group.untrusted',
    `What answers at ${address} does not show the root that the token names (${rootFingerprint}). Something stands between the relays, or the primary's root is another by now: make a new token.`,
  );
}
