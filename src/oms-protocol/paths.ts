/** Paths of the OMS protocol's services (reference: wire protocol §0). Compare without regard to case: senders differ. */
export const TOPOLOGY_PATH = '/AgentService.svc/LinuxAgentTopologyRequest';
export const TELEMETRY_PATH = '/AgentService.svc/AgentTelemetry';
/** Ours: a relay tells a workspace which authority its agents' certificates come from. */
export const AUTHORITIES_PATH = '/AgentService.svc/Authorities';
export const RENEW_PATH = '/ConfigurationService.Svc/RenewCertificate';
export const UPLOAD_PATH = '/OperationalData.svc/PostJsonDataItems';
export const DIAGNOSTICS_PATH = '/DiagnosticsDataService.svc/PostJsonDataItems';
export const BLOB_ADDRESS_PATH = '/ContainerService.svc/GetBlobUploadUri';
export const BLOB_NOTIFICATION_PATH = '/ContainerService.svc/PostBlobUploadNotification';

/** The api-version of custom records: `POST …/PostJsonDataItems?api-version=2016-04-01` with a Log-Type. */
export const CUSTOM_RECORDS_VERSION = '2016-04-01';
