/** Every metric, declared once: name, type, unit, labels, meaning. The README's table is made from this. */
import { AGENTS } from './catalogue/agents.ts';
import { CACHE } from './catalogue/cache.ts';
import { GROUP } from './catalogue/group.ts';
import { INTAKE } from './catalogue/intake.ts';
import { MACHINE } from './catalogue/machine.ts';
import { TUNNEL } from './catalogue/tunnel.ts';
import { UPSTREAM } from './catalogue/upstream.ts';
import type { Declarations } from './declaration.ts';

type Catalogue = typeof INTAKE & typeof CACHE & typeof UPSTREAM & typeof AGENTS & typeof GROUP & typeof TUNNEL & typeof MACHINE;

type NamesOf<Type> = { [Name in keyof Catalogue]: Catalogue[Name] extends { readonly type: Type } ? Name : never }[keyof Catalogue];

export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;

/** The labels that a metric takes, all of them, and no others. */
export type LabelsOf<Name extends keyof Catalogue> = Readonly<Record<Catalogue[Name]['labels'][number], string>>;

const ALL = { ...INTAKE, ...CACHE, ...UPSTREAM, ...AGENTS, ...GROUP, ...TUNNEL, ...MACHINE } satisfies Declarations;

export const METRICS: Catalogue = ALL;
