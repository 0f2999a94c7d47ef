/** Who may read metrics: whoever shows the password or the token that is in its file at this moment. */
import type { Request, ResponseObject, ResponseToolkit, ServerAuthScheme } from '@hapi/hapi';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { isSameSecret } from '../same-secret.ts';
import { createSecretFile } from '../secret-file.ts';
import type { MetricsOptions } from './options.ts';

export type SignInOptions = Pick<MetricsOptions, 'user' | 'passwordFile' | 'tokenFile'>;

/** What an `Authorization` header is worth. */
export type Judgement = 'good' | 'missing' | 'wrong';

export interface SignIn {
  /** The challenges of a 401 (RFC 9110 §11.6.1). */
  readonly challenges: readonly string[];
  /** Reads the files. Throws `relay.secret.unreadable` and `relay.secret.empty`. */
  check(): Promise<void>;
  /** Takes as long for a secret that is nearly right as for any other. Throws as `check`. */
  judge(authorization: string | undefined): Promise<Judgement>;
}

interface Way {
  readonly scheme: string;
  readonly challenge: string;
  /** What must follow the scheme's name. */
  expected(): Promise<string>;
}

const REALM = 'realm="relay metrics"';

/** Undefined when nobody needs to sign in. */
export function createSignIn({ user, passwordFile, tokenFile }: SignInOptions, warn: (message: string) => void): SignIn | undefined {
  const ways: Way[] = [];
  if (user !== undefined && passwordFile !== undefined) {
    const file = createSecretFile(passwordFile, warn);
    const expected = async (): Promise<string> => Buffer.from(`${user}:${await file.read()}`).toString('base64');
    ways.push({ scheme: 'basic', challenge: `Basic ${REALM}, charset="UTF-8"`, expected });
  }
  if (tokenFile !== undefined) ways.push({ scheme: 'bearer', challenge: `Bearer ${REALM}`, expected: createSecretFile(tokenFile, warn).read });
  if (ways.length === 0) return undefined;
  return {
    challenges: ways.map(({ challenge }) => challenge),
    async check() {
      for (const { expected } of ways) await expected();
    },
    async judge(authorization) {
      const [, scheme = '', shown] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization ?? '') ?? [];
      if (authorization === undefined) return 'missing';
      const way = ways.find((each) => each.scheme === scheme.toLowerCase());
      return way && shown !== undefined && isSameSecret(shown, await way.expected()) ? 'good' : 'wrong';
    },
  };
}

export interface SignInSchemeOptions {
  readonly signIn: SignIn;
  readonly log: Logger;
}

/** hapi's scheme: 401 without good credentials, 503 while the file that holds them cannot be read. */
export const signInScheme: ServerAuthScheme = (_server, options?: object) => {
  const { signIn, log } = options as SignInSchemeOptions;

  const refuse = (request: Request, h: ResponseToolkit, code: string, message: string): ResponseObject => {
    log.warn({ code, path: request.path, remoteAddress: request.info.remoteAddress }, message);
    const answer = h.response({ error: { code, message } }).code(401);
    for (const challenge of signIn.challenges) answer.header('www-authenticate', challenge, { append: true });
    return answer.takeover();
  };

  return {
    async authenticate(request, h) {
      try {
        const judgement = await signIn.judge(request.raw.req.headers.authorization);
        if (judgement === 'good') return h.authenticated({ credentials: {} });
        if (judgement === 'missing')
          return refuse(
            request,
            h,
            'relay.metrics.no-credentials',
            'Metrics are shown to who signs in. Give Prometheus the credentials (basic_auth or authorization).',
          );
        return refuse(
          request,
          h,
          'relay.metrics.bad-credentials',
          'These are not the credentials for metrics. Compare them with metrics.passwordFile or metrics.tokenFile.',
        );
      } catch (error) {
        const code = 'relay.metrics.credentials-unreadable';
        log.error({ code, reason: messageOf(error) }, 'the credentials for metrics cannot be read; metrics are shown to nobody until they can');
        const message = 'The relay cannot read the credentials for metrics; its log says why.';
        return h.response({ error: { code, message } }).code(503).takeover();
      }
    },
  };
};
