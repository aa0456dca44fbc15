import { toFailure } from '#kernel';
import { API_REMOVALS, type ApiRemoval } from '#config';
import { refKey, refOf, type KubernetesObject, type RemovedApiUse } from '#fleet';
import type { KubernetesPort, MetricSample } from '#ports';
import { parseVersion } from '#upgrade';
import { mapBounded } from '../bounded.js';
import { items, text } from './fields.js';

const REQUESTED = 'apiserver_requested_deprecated_apis';
const AT_ONCE = 4;

/**
 * Who uses APIs that go away after what the cluster runs now: by the count of the API server that answered, and by the
 * live objects of kinds in the removal table that somebody wrote in an old version.
 */
export async function readRemovedApis(
  kubernetes: KubernetesPort,
  serverVersion: string,
): Promise<readonly RemovedApiUse[]> {
  const minor = parseVersion(serverVersion)?.minor ?? 0;
  const rules = API_REMOVALS.filter(({ removedIn }) => removedIn > minor);
  const [samples, lists] = await Promise.all([
    kubernetes.metrics([REQUESTED]),
    mapBounded(rules, AT_ONCE, (rule) => writtenAs(kubernetes, rule)),
  ]);
  return [...samples.flatMap(requested), ...lists.flat()];
}

function requested({ labels, value }: MetricSample): readonly RemovedApiUse[] {
  const { group = '', version = '', resource = '', removed_release: removedIn = '' } = labels;
  if (value === 0 || removedIn === '') return [];
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const subresource = labels['subresource'] ? `/${labels['subresource']}` : '';
  const rule = API_REMOVALS.find(
    (one) =>
      one.apiVersion === apiVersion && (one.kinds === '*' || one.kinds.some((kind) => names(kind, resource))),
  );
  return [
    {
      apiVersion,
      what: `${resource}${subresource}`,
      removedIn,
      source: 'requests',
      ...(rule?.replacement !== undefined && { replacement: rule.replacement }),
    },
  ];
}

/** `Ingress` names `ingresses`, `NetworkPolicy` `networkpolicies`. */
const names = (kind: string, resource: string): boolean =>
  resource.startsWith(kind.toLowerCase().replace(/y$/, ''));

async function writtenAs(kubernetes: KubernetesPort, rule: ApiRemoval): Promise<readonly RemovedApiUse[]> {
  // Rules for whole groups are about APIs whose objects the API server makes itself.
  if (rule.kinds === '*') return [];
  const lists = await Promise.all(rule.kinds.map((kind) => listed(kubernetes, rule.apiVersion, kind)));
  return lists.flat().flatMap((object) => useOf(object, rule));
}

/** An API that the cluster does not serve holds nobody up. */
async function listed(
  kubernetes: KubernetesPort,
  apiVersion: string,
  kind: string,
): Promise<readonly KubernetesObject[]> {
  try {
    return await kubernetes.list({ apiVersion, kind }, { managedFields: true });
  } catch (thrown) {
    if (toFailure(thrown).code === 'kind-unknown') return [];
    throw thrown;
  }
}

/** Written by hand or tool in that version; status is the controllers' own. */
function useOf(object: KubernetesObject, rule: ApiRemoval): readonly RemovedApiUse[] {
  const writer = items(object.metadata.managedFields).find(
    (entry) => entry['apiVersion'] === rule.apiVersion && text(entry['subresource']) === '',
  );
  if (!writer) return [];
  return [
    {
      apiVersion: rule.apiVersion,
      what: refKey(refOf(object)),
      removedIn: `1.${rule.removedIn}`,
      source: 'object',
      ...(rule.replacement !== undefined && { replacement: rule.replacement }),
      ...(text(writer['manager']) !== '' && { manager: text(writer['manager']) }),
    },
  ];
}
