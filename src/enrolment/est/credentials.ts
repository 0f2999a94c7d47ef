import { createHash, timingSafeEqual } from 'node:crypto';
import type { ManagementGroup } from '../../management-group/management-group.ts';
import type { OneTimeToken } from '../../management-group/one-time-tokens.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';

/** What lets a machine enrol, and for which workspace. */
export type Credential =
  | { readonly kind: 'key'; readonly workspaceId: WorkspaceId; readonly id: string; readonly keyName: string }
  | { readonly kind: 'token'; readonly workspaceId: WorkspaceId; readonly token: OneTimeToken };

/** Finds the enrolment key (base64, as it was printed) or the one-time token that a password is. Every key and token is compared, found or not. */
export function findCredential(
  { enrolmentKeys, tokens }: ManagementGroup,
  serves: (workspaceId: WorkspaceId) => boolean,
  password: string,
): Credential | undefined {
  const given = hashOf(Buffer.from(password.trim(), 'base64'));
  const workspaces = new Set(enrolmentKeys.list().map(({ workspaceId }) => workspaceId));
  let found: Credential | undefined;
  for (const workspaceId of [...workspaces].filter(serves)) {
    for (const { id, key } of enrolmentKeys.usable(workspaceId)) {
      if (timingSafeEqual(hashOf(key), given)) found ??= { kind: 'key', workspaceId, id, keyName: enrolmentKeys.nameOf(id) };
    }
  }
  const token = tokens.check(password.trim());
  if (token && serves(token.workspaceId)) found ??= { kind: 'token', workspaceId: token.workspaceId, token };
  return found;
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
