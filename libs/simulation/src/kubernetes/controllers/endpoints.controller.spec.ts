import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { TestBench } from '../../estate/test-bench.js';

interface Slice {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly endpoints: readonly {
    readonly conditions: { readonly ready: boolean; readonly terminating: boolean };
    readonly zone?: string;
  }[];
  readonly ports: readonly { readonly port: number }[];
}

describe('EndpointsController', () => {
  it('lists ready pods with their zone, marks leaving ones, and goes with the service', () => {
    const bench = new TestBench({ workers: 3 });
    const containers = [{ name: 'main', image: 'a:1', ports: [{ name: 'http', containerPort: 8080 }] }];
    bench.deployment('web', 3, {}, { containers }, { 'sim.fairway.dev/stop-after': '20s' });
    bench.create('services', {
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    bench.run(minutes(1));
    const slice = (): Slice => bench.get<Slice>('endpointslices.discovery.k8s.io', 'web-slice');
    expect(slice().endpoints.map((endpoint) => endpoint.conditions.ready)).toEqual([true, true, true]);
    expect(new Set(slice().endpoints.map((endpoint) => endpoint.zone)).size).toBe(3);
    expect(slice().ports[0]?.port).toBe(8080);
    bench.store.remove('pods', 'default', bench.pods()[0]?.metadata.name as string);
    bench.run(seconds(5));
    expect(
      slice().endpoints.filter((endpoint) => endpoint.conditions.terminating && !endpoint.conditions.ready),
    ).toHaveLength(1);
    bench.store.remove('services', 'default', 'web');
    bench.run(seconds(10));
    expect(bench.view.get('endpoints', 'default', 'web')).toBeUndefined();
    expect(bench.view.get('endpointslices.discovery.k8s.io', 'default', 'web-slice')).toBeUndefined();
  });
});
