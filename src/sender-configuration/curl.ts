import { baseUrl, EXAMPLE_TABLE, type SenderConfiguration } from './facts.ts';

/** The secret comes by standard input: the list of processes shows arguments to everybody. */
export const curl: SenderConfiguration = {
  kind: 'curl',
  about: 'curl, one call of the Logs Ingestion API with name and secret',
  showsSecret: true,
  write: (facts, roots) => `# The relay's roots must be in ${roots}: relay authority export
curl --fail-with-body --silent --show-error --cacert ${roots} --config - <<'CONFIG'
url = "${baseUrl(facts)}/dataCollectionRules/${facts.ruleId}/streams/Custom-${EXAMPLE_TABLE}_CL?api-version=2023-01-01"
user = "${facts.name}:${facts.secret}"
header = "Content-Type: application/json"
data = "[{\\"Message\\":\\"hello\\"}]"
CONFIG
`,
};
