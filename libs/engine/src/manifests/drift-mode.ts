import { DRIFT_MODE_ITEM, problemType, type DriftMode } from '#fleet';
import type { FleetPolicy } from '#promotion';
import type { Pass } from '../pass/pass.js';

const MODES: readonly string[] = ['off', 'detect', 'correct'] satisfies readonly DriftMode[];
const isMode = (text: string | undefined): text is DriftMode => text !== undefined && MODES.includes(text);

/**
 * The cluster's config item `drift_mode` first, then `drift` of its channel in fairway.yaml, else `detect`. What cannot be
 * read counts as `detect`, which writes nothing, and is told.
 */
export async function driftMode(pass: Pass): Promise<DriftMode> {
  const own = pass.cluster.configItems[DRIFT_MODE_ITEM];
  if (isMode(own)) return own;
  if (own !== undefined && own !== '') {
    pass.report.problems.push({
      type: problemType('drift-mode-unknown'),
      title: 'drift mode unknown',
      detail: `config item ${DRIFT_MODE_ITEM} says ${JSON.stringify(own.slice(0, 40))}; drift is looked for and not corrected`,
      hint: `Set ${DRIFT_MODE_ITEM} to ${MODES.join(', ')}, or remove it: then fairway.yaml counts.`,
      instance: `cluster/${pass.cluster.id}`,
      severity: 'warning',
    });
    return 'detect';
  }
  const stored = (await pass.ports.decisions.policies()).find(
    ({ channel }) => channel === pass.cluster.channel,
  );
  const policy = stored?.policy as FleetPolicy | undefined;
  return policy?.channels.find(({ name }) => name === pass.cluster.channel)?.drift ?? 'detect';
}
