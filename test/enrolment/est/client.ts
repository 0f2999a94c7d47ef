/** An EST client made of openssl and curl: what a site that writes its own scripts would use. */
import { execFile, execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

export interface EstAnswer {
  readonly status: number;
  readonly text: string;
  /** As curl printed them, in lower case. */
  readonly headers: string;
}

export interface EstClient {
  readonly keyFile: string;
  readonly certificateFile: string;
  /** Makes a key and a signing request by openssl. */
  makeRequest(...args: readonly string[]): Promise<void>;
  /** Asks for a certificate with name and password, and keeps it when there is one. `body` stands for another body than the request. */
  enrol(name: string, password: string, body?: string): Promise<EstAnswer>;
  /** Asks for a new certificate with the one at hand. */
  renew(): Promise<EstAnswer>;
  curl(path: string, ...args: readonly string[]): Promise<EstAnswer>;
  /** What openssl says of the certificate. */
  describe(...args: readonly string[]): string;
}

export function createEstClient(folder: string, name: string, { port, rootFile }: { readonly port: number; readonly rootFile: string }): EstClient {
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  const [keyFile, requestFile, certificateFile, headerFile] = [file('key'), file('csr'), file('pem'), file('headers')];

  const curl = async (path: string, ...args: readonly string[]): Promise<EstAnswer> => {
    const common = ['--silent', '--cacert', rootFile, '--dump-header', headerFile, '--write-out', '\n%{http_code}'];
    const { stdout } = await run('curl', [...common, ...args, `https://localhost:${port}${path}`]);
    const cut = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(cut + 1)), text: stdout.slice(0, cut), headers: (await readFile(headerFile, 'latin1')).toLowerCase() };
  };
  const ask = async (path: string, body: string, ...args: readonly string[]): Promise<EstAnswer> => {
    const sent = ['--header', 'Content-Type: application/pkcs10', '--header', 'Content-Transfer-Encoding: base64', '--data-binary', `@${body}`];
    const answer = await curl(`/.well-known/est/${path}`, ...sent, ...args);
    if (answer.status === 200) {
      const printed = execFileSync('openssl', ['pkcs7', '-inform', 'DER', '-print_certs'], { input: Buffer.from(answer.text, 'base64') });
      await writeFile(certificateFile, printed);
    }
    return answer;
  };

  return {
    keyFile,
    certificateFile,
    async makeRequest(...args) {
      const kind = args.includes('-newkey') ? [] : EC;
      await run('openssl', ['req', '-new', '-nodes', '-subj', `/CN=${name}`, ...kind, ...args, '-keyout', keyFile, '-out', file('der'), '-outform', 'DER']);
      await run('openssl', ['base64', '-in', file('der'), '-out', requestFile]);
    },
    enrol: (user, password, body = requestFile) => ask('simpleenroll', body, '--user', `${user}:${password}`),
    renew: () => ask('simplereenroll', requestFile, '--cert', certificateFile, '--key', keyFile),
    curl,
    describe: (...args) => execFileSync('openssl', ['x509', '-noout', '-in', certificateFile, ...args]).toString(),
  };
}
