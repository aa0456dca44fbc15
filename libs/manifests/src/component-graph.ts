import { err, ok, type Failure, type Result } from '#kernel';
import type { Component } from '#fleet';

/**
 * Components so that each comes after all that it depends on; among those that are free: by wave, then by name. A
 * dependency on a removed component counts as met. Errors name the whole cycle, or the nearest known name.
 */
export function orderComponents(
  components: readonly Component[],
  known: ReadonlySet<string>,
): Result<readonly Component[], Failure> {
  const unknown = unknownDependencies(components, known);
  if (unknown) return err(unknown);
  const open = new Map(components.map((component) => [component.name, component]));
  const sorted: Component[] = [];
  while (open.size > 0) {
    const free = [...open.values()].filter(
      (component) => !component.settings.dependsOn.some((name) => open.has(name)),
    );
    const [next] = free.sort((a, b) => a.settings.wave - b.settings.wave || (a.name < b.name ? -1 : 1));
    if (!next) return err(cycleFailure([...open.values()]));
    open.delete(next.name);
    sorted.push(next);
  }
  return ok(sorted);
}

function unknownDependencies(
  components: readonly Component[],
  known: ReadonlySet<string>,
): Failure | undefined {
  const details = components.flatMap((component) =>
    component.settings.dependsOn
      .filter((name) => !known.has(name))
      .map((name) => ({
        message: `component ${component.name} depends on ${name}, which does not exist`,
        place: { field: 'dependsOn', file: `cluster/manifests/${component.name}/component.yaml` },
      })),
  );
  const [first] = details;
  if (!first) return undefined;
  return {
    class: 'invalid',
    code: 'unknown-dependency',
    message: details.map((detail) => detail.message).join('; '),
    hint: `Known components: ${[...known].sort().join(', ')}.`,
    place: first.place,
    details,
  };
}

function cycleFailure(open: readonly Component[]): Failure {
  const cycle = findCycle(open);
  return {
    class: 'invalid',
    code: 'component-cycle',
    message: `components depend on one another in a circle: ${cycle.join(' → ')}`,
    hint: 'Remove one of these dependsOn entries.',
    place: { field: 'dependsOn', file: `cluster/manifests/${cycle[0] ?? ''}/component.yaml` },
  };
}

/** Every open component waits for another open one, so walking along dependencies must come round. */
function findCycle(open: readonly Component[]): readonly string[] {
  const byName = new Map(open.map((component) => [component.name, component]));
  const path: string[] = [];
  let name = [...byName.keys()].sort()[0] ?? '';
  while (!path.includes(name)) {
    path.push(name);
    name = [...(byName.get(name)?.settings.dependsOn ?? [])].sort().find((next) => byName.has(next)) ?? name;
  }
  return [...path.slice(path.indexOf(name)), name];
}
