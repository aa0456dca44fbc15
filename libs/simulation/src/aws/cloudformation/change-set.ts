import { canonicalJson, type Instant } from '#kernel';
import type { RegionalAws } from '../region.js';
import type { Props } from '../props.js';
import { resolve, type Scope } from './intrinsics.js';
import { resourceType } from './resources/index.js';
import { evaluateOutputs, scopeOf, wantedResources, type Foresight } from './scope.js';
import type { OnFailure } from './operations.js';
import type { Stack, StackInput, StackResource } from './stack.js';
import type { ResourceDefinition } from './template.js';

type Replacement = 'True' | 'False' | 'Conditional';

interface PropertyChange {
  readonly name: string;
  readonly evaluation: 'Static' | 'Dynamic';
  readonly requiresRecreation: 'Never' | 'Conditionally' | 'Always';
  readonly attribute: 'Properties' | 'Tags';
}

export interface ResourceChange {
  readonly action: 'Add' | 'Modify' | 'Remove';
  readonly logicalId: string;
  readonly physicalId?: string;
  readonly type: string;
  readonly replacement?: Replacement;
  readonly details: readonly PropertyChange[];
}

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly type: 'CREATE' | 'UPDATE';
  readonly createdAt: Instant;
  readonly description?: string;
  readonly input: StackInput;
  readonly token?: string;
  /** What a failed creation ends in. */
  readonly onFailure: OnFailure;
  status: 'CREATE_PENDING' | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'FAILED' | 'DELETE_COMPLETE';
  executionStatus:
    'UNAVAILABLE' | 'AVAILABLE' | 'EXECUTE_IN_PROGRESS' | 'EXECUTE_COMPLETE' | 'EXECUTE_FAILED' | 'OBSOLETE';
  statusReason?: string;
  changes: readonly ResourceChange[];
}

export const NO_CHANGES =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

/** Types that take over the tags of their stack. */
const TAKES_STACK_TAGS = new Set([
  'AWS::AutoScaling::AutoScalingGroup',
  'AWS::ElasticLoadBalancingV2::TargetGroup',
  'AWS::ElasticLoadBalancingV2::LoadBalancer',
]);

export const tagsMatter = (type: string): boolean => TAKES_STACK_TAGS.has(type);

/** What bringing the stack to the input would change, resource by resource, needed ones first. */
export function planChanges(aws: RegionalAws, stack: Stack, input: StackInput): readonly ResourceChange[] {
  const changed = new Map<string, ResourceChange>();
  const scope = scopeOf(aws, stack, input, foresightOf(changed));
  const wanted = wantedResources(input.template, scope);
  const sameTags = canonicalJson(stack.input?.tags ?? {}) === canonicalJson(input.tags);
  for (const definition of wanted) {
    const change = planResource(stack, definition, scope, sameTags);
    if (change) changed.set(definition.logicalId, change);
  }
  const names = new Set(wanted.map(({ logicalId }) => logicalId));
  const removed = [...stack.resources.values()].filter(
    ({ logicalId, state }) => state && !names.has(logicalId),
  );
  return [...changed.values(), ...removed.map(removal)];
}

/** Names for what only the execution will know: ids of new resources, attributes of changed ones. */
function foresightOf(changed: ReadonlyMap<string, ResourceChange>): Foresight {
  return {
    physicalId: (id) => {
      const change = changed.get(id);
      const moves = change && (change.action === 'Add' || change.replacement === 'True');
      return moves ? `{{ref ${id}}}` : undefined;
    },
    attribute: (id, name) => (changed.has(id) ? `{{${id}.${name}}}` : undefined),
  };
}

function planResource(
  stack: Stack,
  { logicalId, type, properties }: ResourceDefinition,
  scope: Scope,
  sameTags: boolean,
): ResourceChange | undefined {
  const known = stack.resources.get(logicalId);
  if (!known?.state) return { action: 'Add', logicalId, type, details: [] };
  const details = compare(type, known.properties, resolve(properties, scope) as Props);
  if (!sameTags && tagsMatter(type)) {
    details.push({ name: 'Tags', evaluation: 'Static', requiresRecreation: 'Never', attribute: 'Tags' });
  }
  if (known.type === type && details.length === 0) return undefined;
  const replacement = known.type !== type ? 'True' : replacementOf(details);
  return { action: 'Modify', logicalId, physicalId: known.state.physicalId, type, details, replacement };
}

const removal = ({ logicalId, type, state }: StackResource): ResourceChange => ({
  action: 'Remove',
  logicalId,
  type,
  ...(state && { physicalId: state.physicalId }),
  details: [],
});

/** True where the input differs from the stack in resources, outputs or tags. */
export function hasChanges(
  aws: RegionalAws,
  stack: Stack,
  input: StackInput,
  changes: readonly ResourceChange[],
): boolean {
  if (changes.length > 0 || !stack.input) return true;
  if (canonicalJson(stack.input.tags) !== canonicalJson(input.tags)) return true;
  const outputs = evaluateOutputs(input.template, scopeOf(aws, stack, input));
  return canonicalJson(outputs) !== canonicalJson(stack.outputs);
}

function compare(
  type: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): PropertyChange[] {
  const { replaceOn } = resourceType(type);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const text = canonicalJson(after[name]);
    if (canonicalJson(before[name]) === text) return [];
    const dynamic = text.includes('{{');
    const recreate = !replaceOn.includes(name) ? 'Never' : dynamic ? 'Conditionally' : 'Always';
    return [
      {
        name,
        evaluation: dynamic ? ('Dynamic' as const) : ('Static' as const),
        requiresRecreation: recreate,
        attribute: 'Properties' as const,
      },
    ];
  });
}

function replacementOf(details: readonly PropertyChange[]): Replacement {
  if (details.some(({ requiresRecreation }) => requiresRecreation === 'Always')) return 'True';
  return details.some(({ requiresRecreation }) => requiresRecreation === 'Conditionally')
    ? 'Conditional'
    : 'False';
}
