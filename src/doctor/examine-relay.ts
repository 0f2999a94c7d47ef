import { join } from 'node:path';
import type { RedisAddress } from '../cache/redis.ts';
import type { Configuration } from '../configuration/schema.ts';
import type { Status } from '../control/api.ts';
import { messageOf } from '../errors.ts';
import { readSecretFile } from '../files.ts';
import { attention, createNotes, type Finding, good, type Judgement, skipped, wrong } from './finding.ts';
import type { MachineProbes } from './machine-probes.ts';
import { type CertificateRole, judgeCertificate, judgeDisk, judgePort, judgeRedisHealth, judgeTime, type PortWanted } from './machine-rules.ts';
import { type Outcome, why } from './within.ts';

export interface RelayExamination {
  readonly configuration: Configuration;
  /** Of the configuration in use. */
  readonly file: string;
  /** What the running relay says of itself, if there is one. */
  readonly asked: Outcome<Status>;
  readonly probes: MachineProbes;
  readonly limitMs: number;
  readonly now: () => number;
}

/** Everything about the relay itself and the machine it runs on. */
export async function examineRelay({ configuration, file, asked, probes, limitMs, now }: RelayExamination): Promise<readonly Finding[]> {
  const notes = createNotes('relay');
  const { data, cache } = configuration;
  const status = asked.outcome === 'done' ? asked.value : undefined;
  await notes.step(
    'configuration',
    async () => configuration.workspaces.length,
    (count) => judgeConfiguration(count, file),
  );
  await notes.step('running', async () => asked, judgeRunning);
  await notes.step(
    'disk',
    () => probes.disk(data, limitMs),
    (facts) => judgeDisk(facts, { data, limitBytes: cache.limit }),
  );
  const where = cache.redis.socket ?? `${cache.redis.host}:${cache.redis.port}`;
  await notes.step(
    'redis',
    () => lookAtRedis(configuration, probes, limitMs),
    (facts) => judgeRedisHealth(facts, where),
  );
  for (const role of certificatesOf(configuration))
    await notes.step(
      `certificate: ${role.what}`,
      () => probes.certificate(role.file, limitMs),
      (facts) => judgeCertificate(facts, role, now()),
    );
  for (const wanted of portsOf(configuration, status))
    await notes.step(
      `port: ${wanted.option}`,
      () => probes.port(wanted.address, wanted.port, limitMs),
      (facts) => judgePort(facts, wanted),
    );
  await notes.step('time', () => probes.time(limitMs), judgeTime);
  return notes.findings;
}

function judgeConfiguration(workspaces: number, file: string): Judgement {
  if (workspaces > 0) return good(`${file} is good; ${workspaces} ${workspaces === 1 ? 'workspace' : 'workspaces'}`);
  return attention(`${file} is good, but names no workspace: nothing is taken and nothing is sent`, 'Register one: relay register');
}

/** What the control socket says: nobody there, somebody who may not be asked, silence, or how the relay is. */
export function judgeRunning(asked: Outcome<Status>): Judgement {
  if (asked.outcome === 'late')
    return wrong(`the relay holds its control socket, and gives ${why(asked)}`, 'Look into its log; if it is stuck, restart it: systemctl restart relay');
  if (asked.outcome === 'failed' && asked.code === 'EACCES')
    return attention(
      'this user may not open the control socket: what a running relay knows is left out, and its ports look taken',
      'Run the doctor as root or as the relay’s own user.',
    );
  if (asked.outcome === 'failed') return skipped('no relay answers at its control socket; what only a running relay knows is left out');
  const status = asked.value;
  const { ready } = status.cache;
  const shown = `relay ${status.version} runs since ${new Date(status.startedAt).toISOString()} (pid ${status.pid})`;
  return ready.ok
    ? good(`${shown} and takes data`)
    : attention(`${shown}, and takes no data: ${ready.reasons.join(' ')}`, 'See the steps below; the relay takes data again by itself once they are good.');
}

async function lookAtRedis({ cache }: Configuration, probes: MachineProbes, limitMs: number): ReturnType<MachineProbes['redis']> {
  const { passwordFile, ...place } = cache.redis;
  try {
    const password = passwordFile === undefined ? undefined : await readSecretFile(passwordFile, () => {});
    const address: RedisAddress = { ...place, password };
    return await probes.redis(address, limitMs);
  } catch (error) {
    return { outcome: 'failed', code: 'password', reason: messageOf(error) } satisfies Outcome<never>;
  }
}

/** The certificates of a relay, and what to do about the end of each. */
export function certificatesOf({ data, authority, workspaces }: Configuration): readonly CertificateRole[] {
  const own = authority.serverCertificateFile;
  const server: CertificateRole =
    own === undefined
      ? {
          what: 'the server certificate',
          file: join(data, 'authority', 'server.pem'),
          isRenewed: true,
          remedy: 'A running relay renews it at two thirds of its life: start the relay, and look in its log for why it could not.',
          absent: 'the server certificate is made at the first start',
        }
      : {
          what: 'your server certificate',
          file: own,
          isRenewed: false,
          isNeeded: true,
          remedy: `Have it renewed, and put certificate and key in place of ${own} and authority.serverKeyFile; the relay takes them within the hour, without a restart.`,
          absent: '',
        };
  const root: CertificateRole = {
    what: 'the root certificate',
    file: join(data, 'authority', 'root.pem'),
    isRenewed: false,
    remedy: 'Replace it while it is valid: relay authority rotate',
    absent: 'the root certificate is made at the first start',
  };
  return [server, root, ...workspaces.flatMap((workspace) => ofWorkspace(data, workspace))];
}

function ofWorkspace(data: string, { id, name, protocol, ingestion }: Configuration['workspaces'][number]): CertificateRole[] {
  if (protocol === 'operational-data') {
    return [
      {
        what: `the certificate towards ${name}`,
        file: join(data, 'upstream', id, 'identity.pem'),
        isRenewed: true,
        remedy: 'A running relay renews it at two thirds of its life: see that it runs and reaches the workspace.',
        absent: `the relay is not registered with ${name} yet; it is made with the first data`,
      },
    ];
  }
  const { method, certificateFile } = ingestion.signIn;
  if (method !== 'client-certificate' || certificateFile === undefined) return [];
  const remedy = `Make a new certificate for the application, add it there, and put it with its key into ${certificateFile}; it takes effect at once.`;
  return [{ what: `the sign-in certificate for ${name}`, file: certificateFile, isRenewed: false, isNeeded: true, remedy, absent: '' }];
}

function portsOf({ intake, metrics, tunnel, senders: { syslog } }: Configuration, status: Status | undefined): PortWanted[] {
  const all = [
    { ...intake, option: 'intake.port', ours: status?.intakePort },
    { ...metrics, option: 'metrics.port', ours: status?.metricsPort },
    ...(tunnel.enabled ? [{ ...tunnel, option: 'tunnel.port', ours: status?.tunnel?.port }] : []),
    ...(syslog.enabled ? [{ ...syslog, option: 'senders.syslog.port', ours: status?.syslog?.port }] : []),
  ];
  return all.map(({ address, port, option, ours }) => ({ address, port, option, isOurs: ours === port }));
}
