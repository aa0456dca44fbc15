const MASK = '***';

/** What looks like a secret, wherever a test prints it. The groups before it stay, so that people see what was there. */
const SECRETS: readonly (readonly [pattern: RegExp, keep: string])[] = [
  [/(authorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+)[^\s"',]+/gi, '$1'],
  [/(\bbearer\s+)[A-Za-z0-9._~+/=-]{12,}/gi, '$1'],
  [
    /((?:pass(?:word|wd|phrase)?|secret|token|credential|(?:api|access|private|secret)[_-]?key)["']?\s*[:=]\s*["']?)(?!\*\*\*)[^\s"',;}{&]{3,}/gi,
    '$1',
  ],
  [/(:\/\/[^\s/:@]+:)[^\s/@]+(?=@)/g, '$1'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, ''],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g, ''],
  [/\b(?:fwy_|gh[pousr]_|github_pat_|glpat-|xox[abposr]-|whsec_|npm_)[A-Za-z0-9_/+=-]{8,}/g, ''],
];

const KEY_BLOCK = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** Of a block whose beginning was cut off. */
const KEY_REST = /^(?:[A-Za-z0-9+/=\s]*\n)?-----END [A-Z ]*PRIVATE KEY-----/;

/** A log as people may read it: what looks like a password, a token or a key is replaced by `***`. */
export function maskSecrets(text: string): string {
  const whole = text.replace(KEY_BLOCK, MASK).replace(KEY_REST, MASK);
  return SECRETS.reduce((masked, [pattern, keep]) => masked.replace(pattern, `${keep}${MASK}`), whole);
}
