import { createLogUpdate } from 'log-update';
import { tableOf } from '../table.ts';
import { figuresOf, openTunnels, queuedAtAgents, upstreamOf } from './figures.ts';
import type { Site } from './site.ts';

/** Shows the demo as it goes: a table that is drawn again on a terminal, now and then a line elsewhere. */
export interface Screen {
  /** A new chapter: what happens now. */
  say(text: string): void;
  /** Draws where the data is. */
  draw(site: Site): void;
  /** Leaves the last table standing. */
  end(): void;
}

const LINE_EVERY_MS = 5_000;

export function createScreen(stream: NodeJS.WriteStream, now: () => number): Screen {
  return stream.isTTY ? terminalScreen(stream) : plainScreen(stream, now);
}

function terminalScreen(stream: NodeJS.WriteStream): Screen {
  const update = createLogUpdate(stream);
  return {
    say(text) {
      update.done();
      stream.write(`\n${text}\n\n`);
    },
    draw: (site) => update(`${table(site)}\n${situation(site)}`),
    end: () => update.done(),
  };
}

function plainScreen(stream: NodeJS.WriteStream, now: () => number): Screen {
  let last = 0;
  return {
    say(text) {
      last = 0;
      stream.write(`\n${text}\n`);
    },
    draw(site) {
      if (now() - last < LINE_EVERY_MS) return;
      last = now();
      stream.write(
        `${figuresOf(site)
          .map((row) => `${row.kind}: received ${row.received}, cached ${row.cached}, delivered ${row.delivered}, straight ${row.straight}`)
          .join(' · ')} · ${situation(site)}\n`,
      );
    },
    end() {},
  };
}

/** The table of kinds: what the relay received, holds and delivered, and what went straight from the agents, past the relay's cache. */
export function table(site: Site): string {
  return tableOf(figuresOf(site), [
    ['KIND', (row) => row.kind],
    ['RECEIVED', (row) => row.received],
    ['CACHED', (row) => row.cached],
    ['DELIVERED', (row) => row.delivered],
    ['STRAIGHT', (row) => row.straight],
    ['IN THE WORKSPACE', (row) => row.inWorkspace],
    ['DATA TYPES', (row) => row.dataTypes.join(', ')],
  ]);
}

function situation(site: Site): string {
  const { state, nextTryAt, reason } = upstreamOf(site);
  const upstream =
    state === 'awake'
      ? 'workspace reachable'
      : `workspace NOT reachable for the relay (${reason ?? ''}), next try ${new Date(nextTryAt ?? 0).toISOString().slice(11, 19)} UTC`;
  return `${upstream}; ${openTunnels(site)} tunnels open; ${queuedAtAgents(site)} batches in the agents' own queues`;
}
