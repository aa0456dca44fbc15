import { refKey, type KubernetesObject, type ObjectRef } from '#fleet';
import { describe, expect, it } from 'vitest';
import { shrinkInventory, unionInventory } from './inventory.js';
import { labelObject, PRUNE_ANNOTATION } from './labels.js';
import { decidePrune } from './prune.js';
import type { InventoryItem, PruneQuestion } from './types.js';

const CLUSTER = 'aws:1:eu:k';
const ref = (kind: string, name: string): ObjectRef => ({ apiVersion: 'v1', kind, name, namespace: 'apps' });
const item = (kind: string, name: string, component = 'web'): InventoryItem => ({
  ref: ref(kind, name),
  uid: `uid-${name}`,
  component,
});
const objectOf = (
  entry: InventoryItem,
  change: Partial<KubernetesObject['metadata']> = {},
): KubernetesObject =>
  labelObject(
    {
      apiVersion: 'v1',
      kind: entry.ref.kind,
      metadata: { name: entry.ref.name, namespace: 'apps', uid: entry.uid ?? '', ...change },
    },
    { clusterId: CLUSTER, component: entry.component },
  );

function question(inventory: readonly InventoryItem[], change: Partial<PruneQuestion> = {}): PruneQuestion {
  return {
    clusterId: CLUSTER,
    inventory,
    desired: [],
    components: [{ name: 'web', prune: true, removed: false }],
    live: new Map(inventory.map((entry) => [refKey(entry.ref), objectOf(entry)])),
    confirmations: [],
    ...change,
  };
}

describe('decidePrune', () => {
  it('deletes what is no longer desired, in the reverse order of the apply', () => {
    const inventory = [
      item('ServiceAccount', 'a'),
      item('Deployment', 'b'),
      item('ConfigMap', 'c'),
      item('ConfigMap', 'keep'),
    ];
    const decision = decidePrune(question(inventory, { desired: [ref('ConfigMap', 'keep')] }));
    expect(decision.prune.map(({ item: entry, uid }) => `${entry.ref.kind} ${uid}`)).toEqual([
      'Deployment uid-b',
      'ConfigMap uid-c',
      'ServiceAccount uid-a',
    ]);
    expect(decision.blocked).toEqual([]);
  });

  it.each<[string, Partial<PruneQuestion>, string]>([
    [
      'labels of somebody else',
      {
        live: new Map([
          [
            refKey(ref('ConfigMap', 'c')),
            { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', uid: 'uid-c' } },
          ],
        ]),
      },
      'not-ours',
    ],
    ['another cluster', { clusterId: 'aws:2:eu:k' }, 'not-ours'],
    [
      'recreated by somebody',
      {
        live: new Map([[refKey(ref('ConfigMap', 'c')), objectOf(item('ConfigMap', 'c'), { uid: 'other' })]]),
      },
      'other-uid',
    ],
    [
      'told to stay',
      {
        live: new Map([
          [
            refKey(ref('ConfigMap', 'c')),
            objectOf(item('ConfigMap', 'c'), { annotations: { [PRUNE_ANNOTATION]: 'disabled' } }),
          ],
        ]),
      },
      'prune-disabled',
    ],
    ['a component that vanished', { components: [] }, 'component-vanished'],
    [
      'a component that keeps',
      { components: [{ name: 'web', prune: false, removed: false }] },
      'component-keeps',
    ],
  ])('keeps an object with %s', (_, change, code) => {
    const decision = decidePrune(question([item('ConfigMap', 'c')], change));
    expect(decision.prune).toEqual([]);
    expect(decision.blocked.map((block) => block.code)).toEqual([code]);
    expect(decision.blocked[0]?.remedy).not.toBe('');
  });

  it('prunes a whole component that has its tombstone, more than the budget too', () => {
    const inventory = Array.from({ length: 30 }, (_, i) => item('ConfigMap', `c${i}`));
    const decision = decidePrune(
      question(inventory, { components: [{ name: 'web', prune: true, removed: true }] }),
    );
    expect(decision.prune).toHaveLength(30);
  });

  it('asks before it deletes data, and takes only the answer to this very question', () => {
    const inventory = [item('PersistentVolumeClaim', 'data'), item('ConfigMap', 'c')];
    const asked = decidePrune(question(inventory));
    expect(asked.prune.map(({ item: entry }) => entry.ref.kind)).toEqual(['ConfigMap']);
    expect(asked.blocked).toMatchObject([{ code: 'needs-confirmation' }]);
    expect(asked.blocked[0]?.remedy).toContain(asked.digest);
    const confirmed = decidePrune(question(inventory, { confirmations: [asked.digest] }));
    expect(confirmed.prune).toHaveLength(2);
    expect(confirmed.blocked).toEqual([]);
    const more = decidePrune(
      question([...inventory, item('PersistentVolumeClaim', 'more')], { confirmations: [asked.digest] }),
    );
    expect(more.prune.map(({ item: entry }) => entry.ref.kind)).toEqual(['ConfigMap']);
  });

  it('what goes anyway is no part of what is confirmed: the answer is still good when that is gone', () => {
    const data = item('PersistentVolumeClaim', 'data');
    const { digest } = decidePrune(question([data, item('ConfigMap', 'c')]));
    expect(decidePrune(question([data], { confirmations: [digest] })).prune).toHaveLength(1);
  });

  it('an approval ends when Git names the object again', () => {
    const data = item('PersistentVolumeClaim', 'data');
    const other = item('PersistentVolumeClaim', 'other');
    const { digest } = decidePrune(question([data, other]));
    const { approved } = decidePrune(question([data, other], { confirmations: [digest] }));
    expect(decidePrune(question([data, other], { approved })).prune).toHaveLength(2);
    const back = decidePrune(question([data, other], { approved, desired: [data.ref] }));
    expect(back.prune.map(({ item: entry }) => entry)).toEqual([other]);
    const again = decidePrune(question([data, other], { approved: back.approved }));
    expect(again.blocked).toMatchObject([{ item: data, code: 'needs-confirmation' }]);
  });

  it('never deletes what Git names in other words, or under another kind of the same object', () => {
    const entry = item('ConfigMap', 'c');
    const named = (desired: ObjectRef, live: Partial<KubernetesObject['metadata']> = {}) =>
      decidePrune(
        question([entry], {
          desired: [desired],
          live: new Map([[refKey(entry.ref), objectOf(entry, live)]]),
        }),
      );
    const { namespace: _none, ...unspelt } = entry.ref;
    for (const kept of [
      named(unspelt, { namespace: 'default' }),
      named(unspelt, { namespace: undefined } as never),
      named({ ...entry.ref, namespace: 'elsewhere' }, { namespace: undefined } as never),
    ]) {
      expect(kept).toMatchObject({ prune: [], blocked: [], forget: [entry] });
    }
    expect(named(unspelt).prune).toHaveLength(1);
    expect(named({ ...entry.ref, namespace: 'elsewhere' }).prune).toHaveLength(1);
    const moved = { ...entry, ref: { ...entry.ref, apiVersion: 'moved.example.org/v1' } };
    const both = question([entry, moved], { desired: [moved.ref] });
    expect(decidePrune(both)).toMatchObject({ prune: [], forget: [entry] });
  });

  it('trusts the labels of an object that it never saw only where it applied it', () => {
    const { uid: _unseen, ...unseen } = item('ConfigMap', 'c');
    const by = (manager: string, operation: string) =>
      decidePrune(
        question([unseen], {
          live: new Map([
            [refKey(unseen.ref), objectOf(unseen, { managedFields: [{ manager, operation }] } as never)],
          ]),
        }),
      );
    expect(by('fairway', 'Apply').prune).toHaveLength(1);
    expect(by('kubectl-create', 'Update').blocked).toMatchObject([{ code: 'not-ours' }]);
  });

  it('stops at the budget, all or nothing, until it is confirmed', () => {
    const inventory = Array.from({ length: 100 }, (_, i) => item('ConfigMap', `c${i}`));
    const desired = inventory.slice(30).map((entry) => entry.ref);
    const decision = decidePrune(question(inventory, { desired }));
    expect(decision.prune).toEqual([]);
    expect(decision.blocked).toHaveLength(30);
    expect(decision.blocked[0]?.code).toBe('over-budget');
    expect(
      decidePrune(question(inventory, { desired, confirmations: [decision.digest] })).prune,
    ).toHaveLength(30);
    expect(
      decidePrune(question(inventory, { desired: inventory.slice(10).map((entry) => entry.ref) })).prune,
    ).toHaveLength(10);
  });

  it('deletes nothing because of an empty render', () => {
    const inventory = Array.from({ length: 20 }, (_, i) => item('ConfigMap', `c${i}`));
    expect(decidePrune(question(inventory, { components: [] })).prune).toEqual([]);
  });

  it('only forgets what is gone already', () => {
    const decision = decidePrune(question([item('ConfigMap', 'c')], { live: new Map() }));
    expect(decision).toMatchObject({ prune: [], blocked: [] });
    expect(decision.forget).toHaveLength(1);
  });
});

describe('inventory', () => {
  it('is the union before and what is left after', () => {
    const stored = [item('ConfigMap', 'old'), item('ConfigMap', 'same')];
    const desired = [
      { ref: ref('ConfigMap', 'same'), component: 'moved' },
      { ref: ref('ConfigMap', 'new'), component: 'web' },
    ];
    const union = unionInventory(stored, desired);
    expect(union.map((entry) => `${entry.ref.name} ${entry.component} ${entry.uid ?? '-'}`)).toEqual([
      'new web -',
      'old web uid-old',
      'same moved uid-same',
    ]);
    const after = shrinkInventory(union, {
      applied: [item('ConfigMap', 'new'), item('ConfigMap', 'same')],
      gone: [ref('ConfigMap', 'old')],
    });
    expect(after.map((entry) => entry.ref.name)).toEqual(['new', 'same']);
    expect(shrinkInventory(union, { applied: [], gone: [] })).toEqual(union);
  });
});
