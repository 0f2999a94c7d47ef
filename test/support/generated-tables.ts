import { alertTable } from '../../grafana/source/alert-reference.ts';
import { dataTypeTable } from '../../src/batch/reference.ts';
import { referenceTable, writeBetweenMarkers } from '../../src/configuration/reference.ts';
import { protocolTable } from '../../src/intake/protocol-words.ts';
import { DATA_COLLECTOR_WORDS } from '../../src/intake/protocols/data-collector.ts';
import { LOGS_INGESTION_WORDS } from '../../src/intake/protocols/logs-ingestion.ts';
import { OTLP_WORDS } from '../../src/intake/protocols/otlp/answers.ts';
import { errorTable } from '../../src/intake/reference.ts';
import { metricTable } from '../../src/metrics/reference.ts';

/** The README with its tables as the code has them now. */
export function withGeneratedTables(readme: string): string {
  const tables = {
    options: referenceTable(),
    metrics: metricTable(),
    alerts: alertTable(),
    errors: errorTable(),
    'data-types': dataTypeTable(),
    'data-collector': protocolTable(DATA_COLLECTOR_WORDS),
    'logs-ingestion': protocolTable(LOGS_INGESTION_WORDS),
    otlp: protocolTable(OTLP_WORDS),
  };
  return Object.entries(tables).reduce((text, [marker, table]) => writeBetweenMarkers(text, marker, table), readme);
}
