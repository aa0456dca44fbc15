import { minutes, type Outcome } from '#kernel';
import type { RemovedApiUse } from '#fleet';
import { parseVersion } from '#upgrade';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';
import { attempt } from './reading.js';
import { readRemovedApis } from './removed-apis.js';

/** Config item of a cluster: codes of findings that people know and that must not stop a change of the version. */
export const ACCEPTED_ITEM = 'upgrade_accepted_findings';
const CODE = 'api-removed-in-target';

/** People know of such a finding, and said that it must not stop an update. */
export const accepts = ({ cluster }: Pick<Pass, 'cluster'>, code: string): boolean =>
  (cluster.configItems[ACCEPTED_ITEM] ?? '').split(/[\s,]+/).includes(code);

/**
 * Before the Kubernetes minor changes: does somebody still ask for an API that the new one no longer serves? Live objects
 * that were once written that way are converted by the API server; they are shown by the doctor and do not stop anything.
 */
export async function removedApisInUse(pass: Pass): Promise<Outcome | undefined> {
  const target = parseVersion(pass.desired.kubernetesVersion ?? '');
  if (!target || accepts(pass, CODE) || !(await apiReady(pass))) return undefined;
  const server = await pass.kubernetes.serverVersion();
  const now = parseVersion(server);
  if (!now || now.minor >= target.minor) return undefined;
  const reading = await attempt('deprecated APIs', () => readRemovedApis(pass.kubernetes, server));
  if (reading.state !== 'read') {
    const reason = reading.why;
    pass.ports.log.warn('nobody knows whether removed APIs are in use', {
      clusterId: pass.cluster.id,
      reason,
    });
    return undefined;
  }
  const asked = reading.value.filter((use) => use.source === 'requests' && goneIn(use) <= target.minor);
  if (asked.length === 0) return undefined;
  const names = asked.map(
    ({ what, apiVersion, removedIn }) => `${what} as ${apiVersion} (gone in ${removedIn})`,
  );
  return {
    kind: 'blocked',
    by: `requests for APIs that Kubernetes ${target.text} no longer serves: ${names.join(', ')}`,
    unblock: `Move the callers (the audit log names them); the count starts anew when the API servers restart. To go on regardless: config item ${ACCEPTED_ITEM}: "${CODE}".`,
    recheckIn: minutes(1),
  };
}

const goneIn = ({ removedIn }: RemovedApiUse): number => parseVersion(removedIn)?.minor ?? 0;
