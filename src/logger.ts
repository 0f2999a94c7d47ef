import { type DestinationStream, type LogFn, type LoggerOptions, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { Clock } from './clock.ts';
import { kindOfLine } from './line-kind.ts';
import { createLogRepeats, type Repeated } from './log-repeats.ts';
import { createRecentLines } from './recent-lines.ts';
import { redactLine } from './redaction.ts';

/** JSON lines for journald. error: somebody must act; warn: heals itself; info: start, stop, enrolment, outage; debug: one batch. */
export type Logger = PinoLogger;

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Levels of lines; what ends the process counts as an error. */
export const LINE_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export type LineLevel = (typeof LINE_LEVELS)[number];

export type LineCounts = Readonly<Record<LineLevel, number>>;

/** What is known of a program's lines. */
export interface LogRecord {
  /** The last lines written, up to 1 MiB, the oldest first; each ends with a line feed. No secrets are in them. */
  recentLines(): readonly string[];
  /** Lines logged so far, repeats that were only counted among them. */
  lineCounts(): LineCounts;
}

/** A program's own log. */
export interface ProgramLog extends LogRecord {
  readonly log: Logger;
  /** Writes the summaries of what was only counted. To be called before the process ends. */
  flush(): void;
}

export interface ProgramLogParts {
  readonly level: LogLevel;
  readonly clock: Clock;
  /** The standard output unless given. */
  readonly destination?: DestinationStream | undefined;
}

interface Output extends DestinationStream {
  /** Writes what is not written yet. */
  flushSync?(): void;
}

interface Line {
  readonly logger: Logger;
  readonly write: LogFn;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

const RECENT_BYTES = 1024 * 1024;
const REPEATS = { windowMs: 60_000, linesPerWindow: 5, mostKinds: 500 };
const { error: ERROR, warn: WARN, info: INFO } = pino.levels.values as Record<LineLevel, number>;
/** Which facts a summary repeats: those that hold for all of its lines. */
const SHARED_FACTS = ['code', 'reason', 'workspaceId', 'kind', 'solution', 'stream'];

/** Makes a logger that writes each line; each part takes a child with its `component`. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  return make({ level, hooks: { streamWrite: redactLine } }, destination);
}

/**
 * Makes a program's log. Of warnings, errors and refusals that are alike five are written in a minute, the others counted: one line with
 * `repeated` (how many) and `since` ends the minute.
 */
export function createProgramLog({ level, clock, destination }: ProgramLogParts): ProgramLog {
  const recent = createRecentLines(RECENT_BYTES);
  const counts = { error: 0, warn: 0, info: 0, debug: 0 };
  const repeats = limitRepeats(clock);
  const hooks: LoggerOptions['hooks'] = {
    logMethod(args, write, number) {
      counts[levelOf(number)] += 1;
      if (!isLimited(number, args[0]) || repeats.isWritten(lineOf(this, write, args), number)) write.apply(this, args);
    },
    streamWrite(line) {
      const safe = redactLine(line);
      recent.add(safe);
      return safe;
    },
  };
  const stream: Output = destination ?? openStandardOutput();
  const flush = (): void => {
    repeats.flush();
    stream.flushSync?.();
  };
  return { log: make({ level, hooks }, stream), recentLines: recent.all, lineCounts: () => ({ ...counts }), flush };
}

/** A logger that says nothing, for tests and for programs that print their own lines. */
export const silentLogger: Logger = pino({ level: 'silent' });

function make({ level, hooks }: Pick<LoggerOptions, 'level' | 'hooks'>, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    ...(level === undefined ? {} : { level }),
    ...(hooks === undefined ? {} : { hooks }),
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return destination ? pino(options, destination) : pino(options);
}

// Written behind, so that a journal that is slow does not hold up the relay; at the end what is left is written at once.
function openStandardOutput(): Output {
  const output = pino.destination({ fd: 1, sync: false });
  let isOpen = true;
  output.once('close', () => {
    isOpen = false;
  });
  return {
    write: (line) => void (isOpen && output.write(line)),
    flushSync: () => void (isOpen && output.flushSync()),
  };
}

function limitRepeats(clock: Clock): { isWritten(line: Line, level: number): boolean; flush(): void } {
  const repeats = createLogRepeats<Line>(REPEATS);
  const bindingsOf = rememberBindings();
  let stopWaiting: (() => void) | undefined;

  // Nobody may come to log the next line: the window's end is waited for, with one timer for all of them.
  const awaitNextEnd = (): void => {
    const end = repeats.nextEnd();
    if (stopWaiting || end === undefined) return;
    stopWaiting = clock.after(Math.max(0, end - clock.now()), () => {
      stopWaiting = undefined;
      repeats.ended(clock.now()).forEach(summarize);
      awaitNextEnd();
    });
  };

  return {
    isWritten(line, level) {
      const { component, ...bound } = bindingsOf(line.logger);
      const kind = kindOfLine({ level: levelOf(level), component, message: line.message, facts: { ...bound, ...line.facts } });
      const { isWritten, ended } = repeats.note(kind, line, clock.now());
      ended.forEach(summarize);
      awaitNextEnd();
      return isWritten;
    },
    flush() {
      stopWaiting?.();
      stopWaiting = undefined;
      repeats.endAll().forEach(summarize);
    },
  };
}

function summarize({ line: { logger, write, facts, message }, count, since }: Repeated<Line>): void {
  const shared = Object.fromEntries(SHARED_FACTS.flatMap((name) => (facts[name] === undefined ? [] : [[name, facts[name]]])));
  write.call(logger, { ...shared, repeated: count, since: new Date(since).toISOString() }, message);
}

// Lines of level info are each written, but for those with a code: they tell of refusals, and strangers cause these.
function isLimited(level: number, first: unknown): boolean {
  if (level === WARN || level === ERROR) return true;
  return level === INFO && typeof first === 'object' && first !== null && 'code' in first;
}

function lineOf(logger: Logger, write: LogFn, [first, second]: readonly unknown[]): Line {
  if (typeof first !== 'object' || first === null) return { logger, write, facts: {}, message: String(first) };
  const facts = first instanceof Error ? { err: first } : (first as Line['facts']);
  const { err } = facts;
  return { logger, write, facts, message: typeof second === 'string' ? second : err instanceof Error ? err.message : '' };
}

// pino keeps them as text.
function rememberBindings(): (logger: Logger) => Readonly<Record<string, unknown>> {
  const known = new WeakMap<Logger, Readonly<Record<string, unknown>>>();
  return (logger) => {
    const bindings = known.get(logger) ?? logger.bindings();
    known.set(logger, bindings);
    return bindings;
  };
}

function levelOf(number: number): LineLevel {
  if (number >= ERROR) return 'error';
  if (number >= WARN) return 'warn';
  return number >= INFO ? 'info' : 'debug';
}
