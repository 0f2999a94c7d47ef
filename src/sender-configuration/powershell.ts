import { EXAMPLE_TABLE, type SenderConfiguration } from './facts.ts';

/** The way of Microsoft's own samples for the Data Collector API. */
export const powershell: SenderConfiguration = {
  kind: 'powershell',
  about: 'PowerShell, a function for the Data Collector API',
  showsSecret: true,
  write: (
    { workspaceId, secret, domain, port },
    roots,
  ) => `# The relay's roots must be trusted by this machine: Import-Certificate -FilePath ${roots} -CertStoreLocation Cert:\\LocalMachine\\Root
$CustomerId = '${workspaceId}'
$SharedKey  = '${secret}'
$Uri        = 'https://${workspaceId}.ods.${domain}${port === 443 ? '' : `:${port}`}/api/logs?api-version=2016-04-01'

function Send-RelayLog([object[]] $Records, [string] $LogType = '${EXAMPLE_TABLE}') {
  $body = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject @($Records) -Compress -Depth 20))
  $date = [DateTime]::UtcNow.ToString('r')
  $text = "POST\`n$($body.Length)\`napplication/json\`nx-ms-date:$date\`n/api/logs"
  $hmac = [Security.Cryptography.HMACSHA256]::new([Convert]::FromBase64String($SharedKey))
  $signature = [Convert]::ToBase64String($hmac.ComputeHash([Text.Encoding]::UTF8.GetBytes($text)))
  $headers = @{ Authorization = "SharedKey \${CustomerId}:$signature"; 'Log-Type' = $LogType; 'x-ms-date' = $date }
  Invoke-RestMethod -Method Post -Uri $Uri -ContentType 'application/json' -Headers $headers -Body $body
}

Send-RelayLog @(@{ Computer = $env:COMPUTERNAME; Message = 'hello' })
`,
};
