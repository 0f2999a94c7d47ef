import { alertTable } from '../../grafana/source/alert-reference.ts';
import { dataTypeTable } from '../../src/batch/reference.ts';
import { referenceTable, writeBetweenMarkers } from '../../src/configuration/reference.ts';
import { protocolTable } from '../../src/intake/protocol-words.ts';
import { DATA_COLLECTOR_WORDS } from '../../src/intake/protocols/data-collector.ts';
import { LOGS_INGESTION_WORDS } from '../../src/intake/protocols/logs-ingestion.ts';
import { OTLP_WORDS } from '../../src/intake/protocols/otlp/answers.ts';
import { errorTable } from '../../src/intake/reference.ts';
import { errorsInMarkdown } from '../../src/local-workspace/query/api/query-errors.ts';
import { metricTable } from '../../src/metrics/reference.ts';
import { incidentKindTable, rightsTable } from './local-workspace-tables.ts';

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
    'query-errors': errorsInMarkdown(),
    rights: rightsTable(),
    'incident-kinds': incidentKindTable(),
  };
  return Object.entries(tables).reduce((text, [marker, table]) => writeBetweenMarkers(text, marker, table), readme);
}
