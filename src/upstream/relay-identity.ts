import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createAgentIdentity, type Identity } from '../authority/agent-identity.ts';
import { type CertificateFacts, fromPem, readCertificate } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import { type OwnSecrets, plainSecrets } from '../own-secrets.ts';
import { type AgentId, parseAgentId, readAgentId, type WorkspaceId } from '../workspace/workspace-id.ts';

const DAY_MS = 86_400_000;

/** As whom the relay is known to one workspace: its own agent GUID and certificate there. */
export interface RelayIdentity extends Identity {
  readonly agentId: AgentId;
}

/** Keeps one workspace's identity in a folder: identity.pem, with its key. The agent GUID stays for good, it stands in the certificate. */
export interface RelayIdentities {
  /** The one on disk, or a new one. One whose time is over gets a new key pair: no workspace would take it any more. */
  current(): Promise<RelayIdentity>;
  /** A new key pair for the same GUID; not on disk until `keep`. */
  next(agentId: AgentId): Promise<RelayIdentity>;
  keep(identity: RelayIdentity): Promise<void>;
}

export function createRelayIdentities(
  folder: string,
  workspaceId: WorkspaceId,
  { secrets = plainSecrets, ...settings }: { readonly lifeMs: number; readonly now: () => number; readonly secrets?: OwnSecrets },
): RelayIdentities {
  const path = join(folder, 'identity.pem');

  const make = async (agentId: AgentId): Promise<RelayIdentity> => ({
    agentId,
    ...(await createAgentIdentity(workspaceId, agentId, settings.now(), settings.lifeMs / DAY_MS)),
  });
  const keep = async (identity: RelayIdentity): Promise<void> => {
    await makePrivateFolder(folder);
    // One file for both: a crash between two would leave a key without its certificate.
    await secrets.write(path, identity.certificate + identity.privateKey);
  };

  return {
    async current() {
      const text = (await secrets.read(path))?.toString();
      const kept = text === undefined ? undefined : readIdentity(text, path);
      if (kept && settings.now() < kept.endsAt) return kept.identity;
      const identity = await make(kept?.identity.agentId ?? parseAgentId(randomUUID()));
      await keep(identity);
      return identity;
    },
    next: make,
    keep,
  };
}

function readIdentity(text: string, path: string): { readonly identity: RelayIdentity; readonly endsAt: number } {
  const at = text.indexOf('-----BEGIN PRIVATE KEY-----');
  const certificate = text.slice(0, Math.max(at, 0));
  const facts = factsOf(certificate);
  const agentId = readAgentId(facts?.commonNames[1] ?? '');
  if (!facts || !agentId) {
    throw new RelayError(
      'relay.upstream.bad-identity',
      `${path} is not the relay's identity for this workspace. Delete it: the relay makes a new one and registers again.`,
    );
  }
  return { identity: { agentId, certificate, privateKey: text.slice(at) }, endsAt: facts.notAfter };
}

function factsOf(certificate: string): CertificateFacts | undefined {
  try {
    return readCertificate(fromPem(certificate));
  } catch {
    return undefined;
  }
}
