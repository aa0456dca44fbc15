import type { KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';
import type { AggregatedApiView, WebhookView } from '#upgrade';
import { mapBounded } from '../bounded.js';
import { condition, fields, items, text, type Fields } from './fields.js';

const AT_ONCE = 4;

/** Webhook configurations, both kinds. */
export async function readWebhookObjects(kubernetes: KubernetesPort): Promise<readonly KubernetesObject[]> {
  const kinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'];
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const found = await kubernetes.list({ apiVersion: 'admissionregistration.k8s.io/v1', kind });
      return found.map((object) => ({ ...object, kind }));
    }),
  );
  return lists.flat();
}

/** Every webhook, and for those that fail closed how many ready endpoints are there to answer. */
export async function readWebhooks(
  kubernetes: KubernetesPort,
  objects: readonly KubernetesObject[],
): Promise<readonly WebhookView[]> {
  const webhooks = objects.flatMap((object) =>
    items(object['webhooks']).map((hook) => webhookOf(object, hook)),
  );
  const services = [...new Set(webhooks.flatMap(({ closed, service }) => (closed ? (service ?? []) : [])))];
  const counts = new Map(
    await mapBounded(
      services,
      AT_ONCE,
      async (service) => [service, await readyEndpoints(kubernetes, service)] as const,
    ),
  );
  return webhooks.map((hook) => {
    const endpoints = hook.service === undefined ? undefined : counts.get(hook.service);
    return endpoints === undefined ? hook : { ...hook, endpoints };
  });
}

function webhookOf({ kind, metadata }: KubernetesObject, hook: Fields): WebhookView {
  const service = fields(fields(hook['clientConfig'])['service']);
  const name = text(service['name']);
  return {
    name: `${kind} ${metadata.name}: ${text(hook['name'])}`,
    // The API server's default is Fail.
    closed: (text(hook['failurePolicy']) || 'Fail') === 'Fail',
    ...(name !== '' && { service: `${text(service['namespace']) || 'default'}/${name}` }),
  };
}

/** Undefined where they cannot be read. */
async function readyEndpoints(kubernetes: KubernetesPort, service: string): Promise<number | undefined> {
  const [namespace = '', name = ''] = service.split('/');
  try {
    const slices = await kubernetes.list(
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
      { namespace, labelSelector: `kubernetes.io/service-name=${name}` },
    );
    const endpoints = slices.flatMap((slice) => items(slice['endpoints']));
    // Absent means ready: EndpointSlice API, "conditions.ready".
    return endpoints.filter(({ conditions }) => fields(conditions)['ready'] !== false).length;
  } catch {
    return undefined;
  }
}

/** APIs that extension servers serve. */
export function aggregatedApisAmong(services: readonly KubernetesObject[]): readonly AggregatedApiView[] {
  return services
    .filter((object) => text(fields(fields(object['spec'])['service'])['name']) !== '')
    .map((object) => {
      const available = condition(object, 'Available');
      const told = `${text(available?.['reason'])}: ${text(available?.['message'])}`;
      return {
        name: object.metadata.name,
        available: available?.['status'] === 'True',
        message: available === undefined ? 'nobody has looked at it yet' : told,
      };
    });
}
