/** Patterns of the registry contract's path parameters. */
export const PATTERNS = {
  id: /^[a-z][a-z0-9-:]*[a-z0-9]$/,
  alias: /^[a-z][a-z0-9-]*[a-z0-9]$/,
  poolName: /^[a-z][a-z0-9-]*[a-z0-9]$/,
  configKey: /^[a-z][a-z0-9_]*[a-z0-9]$/,
} as const;

/** Names that mean something to JavaScript objects are nobody's config items. */
export const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
