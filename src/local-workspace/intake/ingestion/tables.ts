// Of the tables that Azure has itself, those that Logs Ingestion fills (reference: §1.4). All others need a twin whose name ends in _CL.
const ACCEPTED =
  /^(?:Event|SecurityEvent|Syslog|CommonSecurityLog|WindowsEvent|OTelLogs|DnsAuditEvents|Anomalies|AzureMetricsV2|QualysKnowledgeBase|(?:AD|ADSecurity|SQL|SCOM|SCCM|Exchange\w*|SfB\w*|SP|WindowsServer|WindowsClient|Azure)AssessmentRecommendation|ASim\w+Logs|(?:AWS|GCP|GKE|CrowdStrike|ThreatIntel|UC)\w+)$/;
const CUSTOM = /^[A-Za-z][A-Za-z0-9_]{0,59}_CL$/;

/** Whether the API may fill a table of this name. */
export function acceptsIngestion(table: string): boolean {
  return CUSTOM.test(table) || ACCEPTED.test(table);
}
