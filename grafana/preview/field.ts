import type { Labels } from '../../src/demo/prometheus-client.ts';
import type { FieldSettings, MappingResult, Override, Panel } from './dashboard.ts';
import { formatValue } from './units.ts';

/** A field before its panel's options are applied: a series, or a column of a table. */
export interface FieldIdentity {
  readonly name: string;
  readonly refId: string;
  readonly labels: Labels;
}

/** How a field of a panel is shown: the panel's defaults, then its overrides in order. */
export interface Field {
  readonly name: string;
  readonly settings: FieldSettings;
}

export function fieldOf(panel: Panel, identity: FieldIdentity): Field {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const fitting = overrides.filter(({ matcher }) => matches(matcher, identity));
  const settings = fitting.flatMap(({ properties }) => properties).reduce(withProperty, defaults);
  const name = settings.displayName
    ?.replace(/\$\{__field\.labels\.(\w+)\}/g, (_, label: string) => identity.labels[label] ?? '')
    .replaceAll(/\$\{__field\.name\}/g, identity.name);
  return { name: name || identity.name, settings };
}

/** A field's option for its kind of panel, such as `drawStyle`. */
export function customOf(settings: FieldSettings, name: string, otherwise: string): string;
export function customOf(settings: FieldSettings, name: string, otherwise: number): number;
export function customOf(settings: FieldSettings, name: string, otherwise: boolean): boolean;
export function customOf<T>(settings: FieldSettings, name: string, otherwise: T): T;
export function customOf<T>(settings: FieldSettings, name: string, otherwise: T): T {
  return (settings.custom?.[name] as T | undefined) ?? otherwise;
}

/** What is written for a value, and its colour when a mapping gives one. */
export function display(settings: FieldSettings, value: number): { readonly text: string; readonly colour: string | undefined } {
  const mapped = mappingOf(settings, value);
  return { text: mapped?.text || formatDated(settings, value), colour: mapped?.color };
}

/** The mapping that a value, a number or a text, falls under. */
export function mappingOf({ mappings = [] }: FieldSettings, value: number | string): MappingResult | undefined {
  for (const mapping of mappings) {
    switch (mapping.type) {
      case 'value': {
        const result = mapping.options[String(value)];
        if (result) return result;
        break;
      }
      case 'range':
        if (typeof value === 'number' && value >= (mapping.options.from ?? -Infinity) && value <= (mapping.options.to ?? Infinity))
          return mapping.options.result;
        break;
      case 'regex':
        if (expression(mapping.options.pattern).test(String(value))) return mapping.options.result;
        break;
      case 'special':
        if (isSpecial(mapping.options.match, value)) return mapping.options.result;
        break;
    }
  }
  return undefined;
}

function isSpecial(match: string, value: number | string): boolean {
  return (match.includes('nan') && Number.isNaN(value)) || (match === 'empty' && value === '');
}

function formatDated({ unit, decimals }: FieldSettings, value: number): string {
  // Relative to now: the only unit that needs a clock. A dashboard is drawn with the data that has just come.
  if (unit === 'dateTimeFromNow') return fromNow((value - Date.now()) / 1000);
  return formatValue(value, unit, decimals);
}

function fromNow(seconds: number): string {
  const text = formatValue(Math.abs(seconds), 's', 0);
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

function matches({ id, options }: Override['matcher'], { name, refId, labels }: FieldIdentity): boolean {
  switch (id) {
    case 'byName':
      return options === name;
    case 'byRegexp':
      return expression(String(options)).test(name);
    case 'byFrameRefID':
      return options === refId;
    case 'byNames':
      return ((options as { readonly names?: readonly string[] } | undefined)?.names ?? []).includes(name);
    case 'byType':
      return options === 'number' && !(name in labels);
    default:
      return false;
  }
}

function withProperty(settings: FieldSettings, { id, value }: { readonly id: string; readonly value?: unknown }): FieldSettings {
  if (!id.startsWith('custom.')) return { ...settings, [id]: value };
  return { ...settings, custom: { ...settings.custom, [id.slice('custom.'.length)]: value } };
}

/** A regular expression as Grafana writes it: with slashes and flags, or bare. */
export function expression(text: string): RegExp {
  const [, body, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  return body === undefined ? new RegExp(text) : new RegExp(body, flags);
}
