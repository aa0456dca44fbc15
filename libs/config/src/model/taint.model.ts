import { named, STRING } from '../template/types.js';
import type { GoType, GoValue } from '../template/types.js';
import { bytesValue, struct } from '../template/values.js';

const EFFECT = named('v1.TaintEffect', 'string');
const FIELDS: ReadonlyMap<string, GoType> = new Map([
  ['Key', STRING],
  ['Value', STRING],
  ['Effect', EFFECT],
]);
export const TAINT: GoType = { kind: 'struct', name: 'v1.Taint', fields: () => FIELDS };

const EFFECTS: ReadonlySet<string> = new Set(['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
/** `key`, `key:Effect` or `key=value:Effect`; undefined where it is no taint, which CLM skips. */
export function parseTaint(text: string): GoValue | undefined {
  const [pair = '', effect = '', ...more] = text.split(':');
  const [key = '', value = '', ...rest] = pair.split('=');
  if (more.length > 0 || rest.length > 0) return undefined;
  if (text.includes(':') ? !EFFECTS.has(effect) : pair.includes('=')) return undefined;
  return struct(
    TAINT,
    new Map([
      ['Key', bytesValue(key)],
      ['Value', bytesValue(value)],
      ['Effect', { t: EFFECT, v: effect }],
    ]),
  );
}
