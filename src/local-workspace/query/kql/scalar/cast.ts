import type { ColumnType } from '../../../tables/column.ts';
import { isNumeric } from '../values/cell.ts';
import { convert } from '../values/convert.ts';
import { lift, retyped } from './lift.ts';
import type { Scalar } from './scalar.ts';

/** An expression's values in another type, as `tostring()`, `toint()` and the like convert them. */
export function cast(scalar: Scalar, type: ColumnType): Scalar {
  if (scalar.type === type) return scalar;
  const from = scalar.type;
  const keptAlike = (isNumeric(from) && (type === 'real' || (type === 'long' && from === 'int'))) || (from === 'guid' && type === 'string');
  if (keptAlike) return retyped(scalar, type);
  return lift(type, [scalar], (cell) => convert(cell, from, type), 'seen');
}

/** What a dynamic value is compared or computed with decides what it is read as: a number as a real, else the other's own type. */
export function readAs(scalar: Scalar, other: ColumnType): Scalar {
  if (scalar.type !== 'dynamic' || other === 'dynamic') return scalar;
  return cast(scalar, isNumeric(other) ? 'real' : other);
}
