import { SeededRandom } from '../../time/seeded-random.js';
import { VirtualScheduler } from '../../time/virtual-scheduler.js';
import { ApiError, ObjectStore, type KubeObject, type ObjectInput, type StoreEvent } from './store.js';

export interface TestCluster {
  readonly store: ObjectStore;
  readonly scheduler: VirtualScheduler;
  readonly events: StoreEvent[];
}

/** A store in virtual time whose first namespaces are filled, for the specs of this room. */
export function testCluster(options: { readonly watchWindow?: number } = {}): TestCluster {
  const scheduler = new VirtualScheduler();
  const random = new SeededRandom(7);
  const store = new ObjectStore({ scheduler, random: () => random.next(), ...options });
  scheduler.advance(1000);
  const events: StoreEvent[] = [];
  store.subscribe((event) => events.push(event));
  return { store, scheduler, events };
}

/** The ApiError that a call throws; fails when it throws nothing or something else. */
export function refusal(call: () => unknown): ApiError {
  try {
    call();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

export const deployment = (
  change: Record<string, unknown> = {},
): ObjectInput & { spec: Record<string, unknown> } => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'a', image: 'registry/a:1', ports: [{ containerPort: 80 }] }] },
    },
    ...change,
  },
});

export const podInput = (name: string, metadata: Partial<KubeObject['metadata']> = {}): ObjectInput => ({
  metadata: { name, namespace: 'default', ...metadata },
  spec: { containers: [{ name: 'c', image: 'registry/c:1' }] },
});

export const configMap = (
  name: string,
  data: Record<string, string>,
  metadata: Partial<KubeObject['metadata']> = {},
) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ...metadata },
  data,
});
