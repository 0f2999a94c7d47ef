/** The workspace answers wrongly, slowly, not at all, with a wrong certificate, or its name does not resolve: data waits, and arrives once that is over. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { Identity } from '../../../src/authority/agent-identity.ts';
import { openAuthority } from '../../../src/authority/authority.ts';
import type { UpstreamState } from '../../../src/cache/cache.ts';
import type { DeadLetter } from '../../../src/cache/dead-letters.ts';
import { ask } from '../../../src/control/client.ts';
import type { Fault as UpstreamFault } from '../../../src/local-workspace/faults/faults.ts';
import { UPLOAD_PATH } from '../../../src/oms-protocol/paths.ts';
import { eventually } from '../../support/eventually.ts';
import { sendBatches, UPLOAD_HEADERS } from '../../support/fleet.ts';
import { createOracle } from '../../support/oracle.ts';
import { BANK, type Site, startSite, UPSTREAM_NAME, type Upstream } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import { type Fault, type Figures, NO_FIGURES, type Trial } from '../fault.ts';
import { type Front, startFront } from '../front.ts';

const DAY_MS = 86_400_000;
const IMPATIENT = { upstream: { connectTimeout: '300ms', requestTimeout: '500ms' } };
const RECORDS = 10_000;

interface Outage {
  /** `send` sends some batches, which are acknowledged. */
  readonly breaks: (send: () => Promise<void>) => Promise<void>;
  readonly heals: () => Promise<void>;
  /** What the relay says meanwhile. */
  readonly reason?: RegExp;
}

/** Sends while `breaks` is in force, sees that the relay knows, heals, and closes the books. */
async function outage(site: Site, times: number, { breaks, heals, reason = /./ }: Outage): Promise<Figures> {
  const oracle = createOracle();
  const machines = await site.machines(3);
  await sendBatches(machines, oracle, 2);
  for (let time = 1; time <= times; time += 1) {
    await breaks(() => sendBatches(machines, oracle, 1));
    await sendBatches(machines, oracle, 5);
    const said = await eventually('the relay says that the workspace is away, and why', async () => {
      const state = await upstreamOf(site);
      return state?.state !== 'awake' && reason.test(state?.reason ?? '') && state;
    });
    assert.match(said.reason ?? '', reason);
    await heals();
    await eventually('the relay says that it is back', async () => (await upstreamOf(site))?.state === 'awake');
  }
  return await closeBooks({ site, oracle, injected: times });
}

async function upstreamOf({ relay }: Site): Promise<UpstreamState | undefined> {
  return (await relay.status()).cache.workspaces[0]?.upstream;
}

function answering(name: string, fault: UpstreamFault, quick = false): Fault {
  const run = async (trial: Trial): Promise<Figures> => {
    await using site = await startSite({ sections: IMPATIENT });
    const { local } = site.upstream();
    return await outage(site, trial.quick ? 1 : 3, { breaks: () => local.setFault(fault), heals: () => local.setFault({ mode: 'none' }) });
  };
  return { name: `workspace: ${name}`, quick, run };
}

/** An answer that condemns the content whatever it is: everything becomes a dead letter, counted exactly, and nothing stops. */
async function tooLarge(): Promise<Figures> {
  await using site = await startSite();
  const { local } = site.upstream();
  const oracle = createOracle();
  const machines = await site.machines(3);
  await sendBatches(machines, oracle, 2);
  await eventually('they arrive', () => local.batchIds(BANK).length === oracle.count());
  await local.setFault({ mode: 'status', status: 413 });
  await sendBatches(machines, oracle, 4);
  await eventually('nothing waits', async () =>
    (await site.relay.status()).cache.workspaces.every(({ groupsWaiting, groupsInFlight }) => groupsWaiting + groupsInFlight === 0),
  );
  await local.setFault({ mode: 'none' });
  await sendBatches(machines, oracle, 2);
  return await closeBooks({ site, oracle, injected: 1 });
}

/** Counted in records: one of ten thousand is bad, and it alone is set apart. */
async function oneBadRecord(): Promise<Figures> {
  await using site = await startSite();
  const { local } = site.upstream();
  const [machine] = await site.machines(1);
  await local.setFault({ mode: 'poison', marker: 'POISON' });
  const items = Array.from({ length: RECORDS }, (_, at) => ({ Host: 'web01', Message: `record ${at}${at === 7_777 ? ' POISON' : ''}` }));
  const body = deflateSync(JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: items }));
  assert.equal((await machine?.post(UPLOAD_PATH, UPLOAD_HEADERS, body))?.status, 200);
  const letters = (): Promise<readonly DeadLetter[]> => ask<readonly DeadLetter[]>(site.relay.socket, 'GET', '/dead-letters');
  await eventually(
    'the batch is dealt with',
    async () => (await letters()).length > 0 && (await site.relay.status()).cache.workspaces.every(({ groupsInFlight }) => groupsInFlight === 0),
  );
  const there = await local.query(BANK, { limit: 2 * RECORDS });
  const distinct = new Set(there.map(({ contentHash }) => contentHash)).size;
  const deadLettered = (await letters()).length;
  return {
    ...NO_FIGURES,
    injected: 1,
    acknowledged: RECORDS,
    delivered: distinct,
    duplicated: there.length - distinct,
    deadLettered,
    lost: RECORDS - distinct - deadLettered,
  };
}

interface Fronted {
  readonly site: Site;
  readonly front: Front;
  readonly upstream: Upstream;
}

async function behindFront(work: (fronted: Fronted) => Promise<Figures>): Promise<Figures> {
  let front: Front | undefined;
  const endpointOf = async ({ listening }: Upstream): Promise<string> => {
    front = await startFront(listening.port);
    return `https://127.0.0.1:${front.port}`;
  };
  await using site = await startSite({ sections: IMPATIENT, endpointOf });
  assert.ok(front);
  await using opened = front;
  return await work({ site, front: opened, upstream: site.upstream() });
}

/** A certificate that the workspace's own authority made: for another name, or for a time that is over. */
async function badIdentity({ listening }: Upstream, names: readonly string[], at: number): Promise<Identity> {
  const folder = `${dirname(listening.rootPath)}-copy`;
  await cp(dirname(listening.rootPath), folder, { recursive: true });
  try {
    for (const file of ['server.pem', 'server.key', 'server.crt']) await rm(join(folder, file), { force: true });
    return await (await openAuthority(folder, () => at)).serverIdentity(names, 30);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function certificate(name: string, names: readonly string[], ageMs: number, reason: RegExp): Fault {
  const run = ({ quick }: Trial): Promise<Figures> =>
    behindFront(async ({ site, front, upstream }) => {
      const identity = await badIdentity(upstream, names, Date.now() - ageMs);
      return await outage(site, quick ? 1 : 3, {
        breaks: async () => front.set({ how: 'certificate', identity }),
        heals: async () => front.set({ how: 'pass' }),
        reason,
      });
    });
  return { name: `workspace: ${name}`, quick: false, run };
}

function oneByteASecond({ quick }: Trial): Promise<Figures> {
  return behindFront(({ site, front }) =>
    outage(site, quick ? 1 : 3, { breaks: async () => front.set({ how: 'trickle' }), heals: async () => front.set({ how: 'pass' }) }),
  );
}

/** The name is taken out of a hosts file of our own, and put back. */
async function nameDoesNotResolve({ quick }: Trial): Promise<Figures> {
  const original = await readFile('/etc/hosts', 'utf8');
  const endpointOf = async ({ listening }: Upstream): Promise<string> => `https://${UPSTREAM_NAME}:${listening.port}`;
  let hosts = '';
  const known = (): Promise<void> => writeFile(hosts, `${original}\n127.0.0.1 ${UPSTREAM_NAME}\n`);
  const prepare = async (folder: string): Promise<void> => {
    hosts = `${folder}-hosts`;
    await known();
    execFileSync('mount', ['--bind', hosts, '/etc/hosts']);
  };
  try {
    await using site = await startSite({ sections: IMPATIENT, endpointOf, prepare });
    const { local } = site.upstream();
    // A connection that is kept, or was begun with the name known, needs none: there is surely no such one once the relay has found the workspace away.
    const breaks = async (send: () => Promise<void>): Promise<void> => {
      await writeFile(hosts, original);
      await local.setFault({ mode: 'refuse' });
      await send();
      await eventually('no connection is left', async () => (await upstreamOf(site))?.state !== 'awake');
      await local.setFault({ mode: 'none' });
    };
    return await outage(site, quick ? 1 : 3, { breaks, heals: known, reason: /ENOTFOUND|EAI_AGAIN/ });
  } finally {
    execFileSync('umount', ['/etc/hosts']);
  }
}

export const upstreamFaults: readonly Fault[] = [
  { name: 'workspace: 400 for one record in ten thousand', quick: false, run: oneBadRecord },
  { name: 'workspace: 413', quick: true, run: tooLarge },
  answering('429 with Retry-After', { mode: 'too-many-requests', retryAfterS: 3_600 }),
  answering('429 without Retry-After', { mode: 'status', status: 429 }),
  answering('401', { mode: 'status', status: 401 }),
  answering('403', { mode: 'forbidden' }),
  answering('404', { mode: 'status', status: 404 }),
  answering('500', { mode: 'error' }),
  answering('hangs', { mode: 'hang' }),
  answering('resets half way', { mode: 'reset' }),
  answering('refuses connections', { mode: 'down' }),
  answering('accepts and never answers', { mode: 'black-hole' }),
  { name: 'workspace: one byte a second', quick: false, run: oneByteASecond },
  { name: 'workspace: name does not resolve', quick: true, mounts: true, run: nameDoesNotResolve },
  certificate('certificate expired', ['127.0.0.1'], 400 * DAY_MS, /expired/i),
  certificate('certificate for another name', ['elsewhere.test'], 0, /altname|elsewhere/i),
];
