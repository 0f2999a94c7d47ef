import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

/** JSON lines for journald. error: somebody must act; warn: heals itself; info: start, stop, enrolment, outage; debug: one batch. */
export type Logger = PinoLogger;

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

// Whatever is logged under one of these names is a secret.
const SECRETS = ['key', 'privateKey', 'sharedKey', 'password', 'authorization', 'token'];

/** Makes the process's logger; each part takes a child with its `component`. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** A logger that says nothing, for tests and for programs that print their own lines. */
export const silentLogger: Logger = pino({ level: 'silent' });
