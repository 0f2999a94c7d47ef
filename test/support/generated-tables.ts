import { alertTable } from '../../grafana/source/alert-reference.ts';
import { referenceTable, writeBetweenMarkers } from '../../src/configuration/reference.ts';
import { errorTable } from '../../src/intake/reference.ts';
import { metricTable } from '../../src/metrics/reference.ts';

/** The README with its tables as the code has them now. */
export function withGeneratedTables(readme: string): string {
  const tables = { options: referenceTable(), metrics: metricTable(), alerts: alertTable(), errors: errorTable() };
  return Object.entries(tables).reduce((text, [marker, table]) => writeBetweenMarkers(text, marker, table), readme);
}
