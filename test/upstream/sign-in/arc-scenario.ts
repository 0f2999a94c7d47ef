/**
 * Run in a mount namespace of its own, with IDENTITY_ENDPOINT and IMDS_ENDPOINT naming the port given: a machine with an Azure Arc agent that
 * asks for the content of a key file before it gives a token. Prints what signing in gave.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { silentLogger } from '../../../src/logger.ts';
import { createSignIn } from '../../../src/upstream/sign-in/sign-in.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const [port = '0', mode = 'answers'] = process.argv.slice(2);
const TOKENS = '/var/opt/azcmagent/tokens';

// Before Node, what it has open there is out of reach; only this folder is replaced.
spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', '/var/opt'], { stdio: 'inherit' });
await mkdir(TOKENS, { recursive: true });
await writeFile(`${TOKENS}/challenge.key`, 'content of the key file');

let asked = 0;
const himds = createServer((request, response) => {
  asked += 1;
  const url = new URL(request.url ?? '', 'http://127.0.0.1');
  if (mode === 'broken') return void response.writeHead(500).end('{}');
  if (request.headers['metadata'] !== 'true' || url.searchParams.get('resource') !== 'https://monitor.azure.com') return void response.writeHead(400).end('{}');
  if (request.headers.authorization !== 'Basic content of the key file') {
    return void response.writeHead(401, { 'www-authenticate': `Basic realm=${TOKENS}/challenge.key` }).end('{}');
  }
  const expiresOn = Math.floor(Date.now() / 1_000) + 86_400;
  const content = { access_token: `machine-${asked}`, expires_on: String(expiresOn), resource: 'https://monitor.azure.com', token_type: 'Bearer' };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(content));
});
if (mode !== 'absent') await new Promise<void>((resolve) => himds.listen(Number(port), '127.0.0.1', resolve));

const signIn = createSignIn({ method: 'managed-identity', cloud: 'public' }, { clock: createManualClock(), log: silentLogger });
const result = await signIn.token();
const { endsAt = 0 } = signIn.state();
process.stdout.write(JSON.stringify({ result, asked, hours: Math.round((endsAt - Date.now()) / 3_600_000) }));
signIn.close();
himds.close();
himds.closeAllConnections();
