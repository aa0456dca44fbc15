import { err, ok, type Failure, type Result } from '#kernel';
import { refKey, refOf, type Component } from '#fleet';
import { orderComponents } from './component-graph.js';
import { partOf, rankWithin, type StagePart } from './kind-order.js';
import { labelObject } from './labels.js';
import type { Stage, StagedObject } from './types.js';

/**
 * The order of an apply: definitions (CRDs, namespaces, cluster roles) → classes → components by `dependsOn`, wave and
 * name → webhooks, so that a custom resource and its CRD fit into one commit and no webhook stands in its own way.
 * Objects come out labelled when `clusterId` is given. Error: `component-cycle` or `unknown-dependency` (invalid).
 */
export function planStages(
  components: readonly Component[],
  clusterId?: string,
): Result<readonly Stage[], Failure> {
  const live = components.filter((component) => !component.settings.removed);
  const sorted = orderComponents(live, new Set(components.map((component) => component.name)));
  if (!sorted.ok) return err(sorted.error);
  const objects = sorted.value.flatMap((component) => staged(component, clusterId));
  return ok(
    [
      sharedStage('definitions', objects, 'established'),
      sharedStage('classes', objects, 'nothing'),
      ...sorted.value.map((component) => componentStage(component, objects, live)),
      sharedStage('webhooks', objects, 'nothing'),
    ].filter((stage) => stage.batches.length > 0),
  );
}

const staged = (component: Component, clusterId: string | undefined): readonly StagedObject[] =>
  component.objects.map((sourced) => ({
    ...sourced,
    component: component.name,
    object:
      clusterId === undefined
        ? sourced.object
        : labelObject(sourced.object, { clusterId, component: component.name }),
  }));

/** CRDs are established within seconds, namespaces active at once: a minute means that something is wrong. */
const ESTABLISH_TIMEOUT_MS = 60_000;

function sharedStage(
  part: Exclude<StagePart, 'component'>,
  objects: readonly StagedObject[],
  waitFor: Stage['waitFor'],
): Stage {
  const own = objects.filter(({ object }) => partOf(object) === part);
  return {
    name: part,
    kind: part,
    wave: 0,
    after: [],
    batches: batchesOf(part, own),
    waitFor,
    timeoutMs: ESTABLISH_TIMEOUT_MS,
  };
}

function componentStage(
  component: Component,
  objects: readonly StagedObject[],
  live: readonly Component[],
): Stage {
  const own = objects.filter(
    (each) => each.component === component.name && partOf(each.object) === 'component',
  );
  const { settings } = component;
  return {
    name: `component/${component.name}`,
    kind: 'component',
    component: component.name,
    wave: settings.wave,
    after: settings.dependsOn.filter((name) => live.some((other) => other.name === name)),
    batches: batchesOf('component', own),
    waitFor: settings.health === 'wait' ? 'health' : 'nothing',
    timeoutMs: settings.timeoutMs,
  };
}

/** Objects of one rank form a batch; within it the order is by name, so that equal inputs give equal plans. */
function batchesOf(part: StagePart, objects: readonly StagedObject[]): readonly (readonly StagedObject[])[] {
  const byRank = new Map<number, StagedObject[]>();
  for (const each of objects) {
    const rank = rankWithin(part, each.object.kind);
    byRank.set(rank, [...(byRank.get(rank) ?? []), each]);
  }
  return [...byRank.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, batch]) => batch.sort((a, b) => (refKey(refOf(a.object)) < refKey(refOf(b.object)) ? -1 : 1)));
}
