import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { Identity } from '../../src/authority/agent-identity.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { createIntakeRig, enrolAgent, type IntakeRig } from './rig.ts';

interface Upload {
  readonly status: number | undefined;
  /** The sender's end: the same port is the same connection. */
  readonly localPort: number | undefined;
  /** Serial of the server's certificate, on a connection's first request. */
  readonly server: string | undefined;
}

const BODY = JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: [{ Message: 'hello' }] });

async function upload(port: number, agent: Agent, between: () => void = () => {}): Promise<Upload> {
  const outgoing = request({ host: '127.0.0.1', port, path: UPLOAD_PATH, method: 'POST', agent });
  const answered = once(outgoing, 'response');
  outgoing.write(BODY.slice(0, 20), () => {
    between();
    outgoing.end(BODY.slice(20));
  });
  const [response] = (await answered) as [IncomingMessage];
  const socket = response.socket as TLSSocket;
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, localPort: socket.localPort, server: socket.getPeerX509Certificate()?.serialNumber };
}

/** A server identity under another root. */
async function identityOfNewRoot({ authority }: IntakeRig): Promise<Identity> {
  await authority.rotate(1);
  await authority.finish();
  const { certificate, privateKey } = await authority.serverIdentity(['localhost', '127.0.0.1'], 90);
  return { certificate: certificate + authority.chain(), privateKey };
}

describe("the server's certificate", () => {
  it('changes without a restart: open connections and the upload under way go on, new ones see the new certificate', async () => {
    // Arrange
    await using rig = await createIntakeRig();
    const { identity } = await enrolAgent(rig);
    const port = await rig.intake.start();
    const tls = { ca: rig.rootPem, cert: identity.certificate, key: identity.privateKey, keepAlive: true, maxSockets: 1 };
    const kept = new Agent(tls);
    const first = await upload(port, kept);
    const next = await identityOfNewRoot(rig);

    // Act
    const during = await upload(port, kept, () => rig.intake.useIdentity(next));
    const after = await upload(port, kept);
    const fresh = new Agent(tls);
    const onNew = await upload(port, fresh);

    // Assert
    assert.deepEqual([first.status, during.status, after.status, onNew.status], [200, 200, 200, 200]);
    assert.deepEqual([during.localPort, after.localPort], [first.localPort, first.localPort]);
    assert.equal(onNew.server, new X509Certificate(next.certificate).serialNumber);
    assert.notEqual(onNew.server, first.server);
    assert.equal(rig.kept.length, 4);
    for (const agent of [kept, fresh]) agent.destroy();
  });
});
