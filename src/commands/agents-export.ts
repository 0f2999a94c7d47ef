import { createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { createPkcs12 } from '../authority/pkcs12.ts';
import { fromPem } from '../authority/x509.ts';
import type { AgentDetails, CertificateForMachine, ListedAgent } from '../control/api.ts';
import { readSecretFile } from '../files.ts';
import type { Agent } from '../management-group/agent.ts';
import { CommandFailure, EXIT, printValue } from './output.ts';
import { openSession, type RelaySession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

const generate = promisify(generateKeyPair);

interface ExportFlags extends SocketFlags {
  readonly out: string;
  readonly passwordFile: string;
  readonly workspace?: string;
}

/** `relay agents export`: key and certificate for a machine that cannot make its own. The key is made here and is nowhere but in the file. */
export function exportCommand(parts: SessionParts): Command {
  return relayCommand('export', 'make a key and a certificate for a machine that cannot ask for its own, as PKCS#12')
    .argument('<agent>', 'an agent; with --workspace, the host name of a machine that is none yet')
    .requiredOption('--out <file>', 'the file to write (.p12), mode 0600')
    .requiredOption('--password-file <file>', 'a file that holds the password of the .p12')
    .option('--workspace <guid>', 'enter the machine as a new, approved agent of this workspace')
    .action((name: string, flags: ExportFlags) => exportAgent(name, flags, parts));
}

async function exportAgent(name: string, flags: ExportFlags, parts: SessionParts): Promise<void> {
  const session = await openSession(flags, parts);
  const password = await readSecretFile(flags.passwordFile, (message) => process.stderr.write(`${message}\n`));
  const agent = await findAgent(session, name, flags.workspace);
  // RSA: Windows programs that are older than this century's curves use the certificate, too.
  const { privateKey: pem } = await generate('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(pem).export({ type: 'spki', format: 'pem' });
  const content = { privateKey, name: agent.hostName, password };
  // The password and the file are tried before the relay enters a certificate.
  await createPkcs12({ ...content, certificate: Buffer.alloc(0), chain: [] });
  const made = await writeNew(flags.out, async () => {
    const given = await session.post<CertificateForMachine>('/authority/agent-certificates', { ...agent, publicKey });
    const bytes = await createPkcs12({ ...content, certificate: fromPem(given.certificate), chain: given.roots.map(fromPem) });
    return { bytes, given };
  });
  const { agentId, hostName, workspaceId, state } = made.agent;
  printValue(
    session.output,
    made,
    `${flags.out} has key and certificate of agent ${agentId} (${hostName}) of workspace ${workspaceId}, which is ${state}. Import it on the machine, then delete it here.`,
  );
}

type Machine = Partial<Pick<Agent, 'agentId'>> & Pick<Agent, 'hostName'> & { readonly workspaceId: string };

async function findAgent({ get }: RelaySession, name: string, newIn: string | undefined): Promise<Machine> {
  if (newIn === undefined) {
    const { agent } = await get<AgentDetails>(`/agents/${encodeURIComponent(name)}`);
    return { agentId: agent.agentId, workspaceId: agent.workspaceId, hostName: agent.hostName };
  }
  const [known] = await get<ListedAgent[]>(`/agents?${new URLSearchParams({ workspace: newIn, name })}`);
  if (!known) return { workspaceId: newIn, hostName: name };
  throw new CommandFailure(EXIT.failed, `"${name}" is agent ${known.agentId} of that workspace already. Leave out --workspace to export its certificate.`);
}

async function writeNew(path: string, make: () => Promise<{ bytes: Buffer; given: CertificateForMachine }>): Promise<CertificateForMachine> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw new CommandFailure(EXIT.failed, `${path} could not be written. It must not exist yet.`, { cause });
  });
  try {
    const { bytes, given } = await make();
    await file.writeFile(bytes);
    return given;
  } catch (cause) {
    await rm(path, { force: true });
    throw cause;
  } finally {
    await file.close();
  }
}
