import type { ConfigProblem, DesiredState } from '#fleet';
import type { Result } from '#kernel';

const OBJECT_COST = 4_000;
const PROBLEM_COST = 500;

/** Bytes, about, that a whole render takes in memory: its parts may be held by it alone. */
export function resultCost(result: Result<DesiredState, readonly ConfigProblem[]>): number {
  if (!result.ok) return PROBLEM_COST * (1 + result.error.length);
  const { components, nodePools, clusterStack, etcdStack, extraStacks, generatedFiles = [] } = result.value;
  const stacks = [clusterStack, ...extraStacks, ...(etcdStack ? [etcdStack] : [])];
  const texts = [
    ...stacks.map(({ body }) => body),
    ...nodePools.flatMap(({ stack, userData }) => [stack.body, userData]),
    ...generatedFiles.map(({ text }) => text),
  ];
  const objects = components.reduce((sum, component) => sum + component.objects.length, 0);
  return OBJECT_COST * (1 + objects) + texts.reduce((sum, text) => sum + text.length, 0);
}
