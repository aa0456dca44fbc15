import { beforeEach, describe, expect, it } from 'vitest';
import { hours, minutes } from '#kernel';
import type { KubernetesObject } from '#fleet';
import { conformanceRefs, RUN_LABEL } from '#promotion';
import type { DeleteOptions, KubernetesPort } from '#ports';
import type { EnginePorts } from '../engine-ports.js';
import { sweepConformance } from './conformance-cleanup.js';

/** A cluster's API with objects that carry the run's label, or other ones. */
class Api {
  readonly objects: KubernetesObject[] = [];
  readonly deleted: { readonly name: string; readonly uid: string | undefined }[] = [];
  down = false;

  of(runId: string, more: object = {}): void {
    for (const [index, { apiVersion, kind, name }] of conformanceRefs(runId).entries()) {
      const metadata = { name, uid: `${runId}-${index}`, labels: { [RUN_LABEL]: runId }, ...more };
      this.objects.push({ apiVersion, kind, metadata } as KubernetesObject);
    }
  }

  readonly port = {
    list: async (
      { kind }: { readonly kind: string },
      { labelSelector }: { readonly labelSelector: string },
    ) => {
      if (this.down) throw new Error('away');
      return this.objects.filter(
        (one) => one.kind === kind && one.metadata.labels?.[labelSelector] !== undefined,
      );
    },
    delete: async ({ name }: { readonly name: string }, { uid }: DeleteOptions) => {
      this.deleted.push({ name, uid });
      return true;
    },
  } as unknown as KubernetesPort;
}

describe('the hourly cleanup of conformance runs', () => {
  const apis = new Map<string, Api>();
  let now = 0;
  let heldUntil = 0;
  let forgotten: number | undefined;
  const unfinished = new Map<string, readonly string[]>();
  const lifecycles = new Map<string, string>();
  const ports = {
    clock: { now: () => now },
    leases: {
      acquire: async (_name: string, ttl: number) => {
        if (heldUntil > now) return undefined;
        heldUntil = now + ttl;
        return { name: 'x', token: 1, expiresAt: heldUntil };
      },
    },
    registry: {
      listClusters: async () =>
        [...apis.keys()].map((id) => ({ id, lifecycleStatus: lifecycles.get(id) ?? 'ready' })),
    },
    channels: {
      unfinishedRuns: async (id: string) => (unfinished.get(id) ?? []).map((runId) => ({ id: runId })),
      forgetConformanceLogs: async (before: number) => {
        forgotten = before;
        return 0;
      },
    },
    kubernetes: { connect: async ({ id }: { readonly id: string }) => apis.get(id)?.port },
    log: { info: () => undefined, debug: () => undefined },
  } as unknown as EnginePorts;
  const deleted = (id: string): readonly string[] =>
    (apis.get(id)?.deleted ?? []).map((one) => one.uid ?? '');

  beforeEach(() => {
    now = 1_000_000_000_000;
    heldUntil = 0;
    for (const map of [apis, unfinished, lifecycles]) map.clear();
    for (const id of ['a', 'b', 'gone']) apis.set(id, new Api());
  });

  it('removes by label what belongs to no unfinished run, and nothing else', async () => {
    apis.get('a')?.of('dead');
    apis.get('a')?.of('alive');
    apis.get('a')?.of('ending', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    apis
      .get('a')
      ?.objects.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'payments', uid: 'p' } });
    unfinished.set('a', ['alive']);
    await sweepConformance(ports, 'dev');
    // By uid: one that was made anew under the same name is another one.
    expect(deleted('a')).toEqual(['dead-0', 'dead-1']);
  });

  it('goes on where one cluster does not answer, and leaves decommissioned ones alone', async () => {
    for (const api of apis.values()) api.of('dead');
    lifecycles.set('gone', 'decommissioned');
    (apis.get('a') as Api).down = true;
    await sweepConformance(ports, 'dev');
    expect([deleted('a').length, deleted('b').length, deleted('gone').length]).toEqual([0, 2, 0]);
  });

  it('looks once an hour, however often it is called and by however many', async () => {
    for (const minute of [0, 1, 30, 59]) {
      now = 1_000_000_000_000 + minutes(minute);
      apis.get('b')?.objects.splice(0);
      apis.get('b')?.of(`dead-${minute}`);
      await Promise.all([sweepConformance(ports, 'dev'), sweepConformance(ports, 'dev')]);
    }
    expect(deleted('b')).toEqual(['dead-0-0', 'dead-0-1']);
    now = 1_000_000_000_000 + hours(1);
    await sweepConformance(ports, 'dev');
    expect(deleted('b')).toHaveLength(4);
    expect(forgotten).toBe(now - hours(24 * 30));
  });
});
