import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { certificateNeed } from '../../src/agent/renewal.ts';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { createRoot } from '../support/management-group-root.ts';

const DAY_MS = 86_400_000;

it("an agent with a self-signed certificate adopts one of the management group's, and renews either at two thirds of its life", async () => {
  const [workspaceId, agentId] = [parseWorkspaceId(randomUUID()), parseAgentId(randomUUID())];
  const now = Date.now();
  const own = (await createAgentIdentity(workspaceId, agentId, now, 90)).certificate;
  const issued = (await (await createRoot()).issue(workspaceId, agentId, now)).certificate;
  assert.deepEqual([certificateNeed(own, now), certificateNeed(issued, now)], ['adopt', 'none']);
  const later = now + 61 * DAY_MS;
  assert.deepEqual([certificateNeed(own, later), certificateNeed(issued, later)], ['renew', 'renew']);
});
