import { escapeXml } from './xml.ts';

/** The body of a refused AgentService request: agents print the `<Reason>` they find on one line (§1.7). */
export function writeRefusal(reason: string, message: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><Error><Reason>${escapeXml(reason)}</Reason><Message>${escapeXml(message)}</Message></Error>`;
}
