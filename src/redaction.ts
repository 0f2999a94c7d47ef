/**
 * Guards the invariant that no secret leaves in a line of the log. The finished line is looked at, so that nothing on the way matters: names at any
 * depth, and what is a secret by its looks in any text, an error's message, stack and causes among them. A line without a trace of one costs one search.
 */

const CENSOR = '[secret]';

// Whatever is logged under a name that ends so is a secret: `sharedKey`, `client_secret`, `proxy-authorization`.
const NAMES = 'key|secrets?|passw(?:or)?ds?|passphrase|token|authorization|cookies?|assertion|credentials?|pem';
// In addresses and forms; `sig` signs the address to which a log file is uploaded.
const FIELDS = '(?:client_|x-)?(?:secret|assertion|password|passphrase)|(?:access_|refresh_|id_)?token|sig|signature';

const SECRET_NAME = new RegExp(`(?:${NAMES})$`, 'i');

const TRACES = new RegExp(
  [
    `(?:${NAMES})\\\\*"\\s*:`,
    'PRIVATE KEY-----',
    '\\b(?:Bearer|SharedKey|SharedKeyLite|Basic|Negotiate|NTLM) ',
    '\\beyJ[\\w-]{8}',
    `\\b(?:${FIELDS})=`,
    '://[^\\s/@"]*:[^\\s/@"]*@',
  ].join('|'),
  'i',
);

// In this order: what one leaves is no match of the next.
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, CENSOR],
  [/\b(Bearer|SharedKey|SharedKeyLite|Basic|Negotiate|NTLM) +[^\s"',;]{6,}/gi, `$1 ${CENSOR}`],
  [/\beyJ[\w-]{8,}(?:\.[\w-]+)*/g, CENSOR],
  [new RegExp(`((?:${NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi'), `$1"${CENSOR}"`],
  [new RegExp(`\\b(${FIELDS})=[^\\s&"',;]+`, 'gi'), `$1=${CENSOR}`],
  [/(:\/\/[^\s/:@"]*):[^\s/@"]*@/g, `$1:${CENSOR}@`],
];

/** A line of JSON without the secrets in it; the same line when there is none. */
export function redactLine(line: string): string {
  if (!TRACES.test(line)) return line;
  try {
    return `${JSON.stringify(withoutSecrets(JSON.parse(line)))}\n`;
  } catch {
    return `${JSON.stringify({ msg: redactText(line.trimEnd()) })}\n`;
  }
}

/** A text without what looks like a secret in it: private keys, tokens, passwords of addresses. */
export function redactText(text: string): string {
  return SECRETS.reduce((left, [secret, instead]) => left.replace(secret, instead), text);
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, SECRET_NAME.test(name) ? CENSOR : withoutSecrets(inner)]));
}
