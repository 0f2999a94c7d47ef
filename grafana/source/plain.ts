import type { Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { Dashboard as BuiltDashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DataQuery, Dashboard as SchemaDashboard } from '@grafana/schema';

/** A type as it looks in JSON: the SDK and the schema have enumerations of their own, which are equal only by their values. */
export type Plain<Type> = unknown extends Type ? Type : Type extends Dataquery ? DataQuery & Record<string, unknown> : PlainValue<Type>;

type PlainValue<Type> = Type extends string
  ? `${Type}`
  : Type extends number
    ? PlainNumber<`${Type}`>
    : Type extends boolean | null | undefined
      ? Type
      : { [Key in keyof Type]: Plain<Type[Key]> };

type PlainNumber<Written> = Written extends `${infer Value extends number}` ? Value : never;

/** A dashboard as Grafana's own schema has it. */
export type SchemaChecked = Plain<Partial<SchemaDashboard>>;

/** A dashboard as it looks in its file. The number of a dashboard of grafana.com is left out: SDK and schema do not agree on its type, and ours have none. */
export type PlainDashboard = Plain<Omit<BuiltDashboard, 'gnetId'>>;
