import type { Props } from '../../props.js';
import type { RegionalAws } from '../../region.js';
import type { ResourceState } from '../stack.js';

export interface ResourceContext {
  readonly aws: RegionalAws;
  readonly logicalId: string;
  readonly type: string;
  readonly stack: { readonly id: string; readonly name: string };
  /** Tags of the stack and CloudFormation's own three. */
  readonly tags: Readonly<Record<string, string>>;
  /** `stack-LogicalId-1A2B3C4D5E6F`, cut to `limit` characters. */
  generatedName(limit?: number): string;
}

/** True: stable. False: not yet. Text: it never will be, and why. */
type Settled = boolean | string;

/** How CloudFormation handles one type. Handlers throw AwsError where the service refuses. */
export interface ResourceType {
  /** Properties that cannot change in place. */
  readonly replaceOn: readonly string[];
  create(context: ResourceContext, properties: Props): ResourceState;
  update(context: ResourceContext, state: ResourceState, properties: Props, previous: Props): ResourceState;
  delete(context: ResourceContext, state: ResourceState): void;
  settled?(context: ResourceContext, state: ResourceState): Settled;
  /** Has a deleted resource really gone? Default: at once. */
  gone?(context: ResourceContext, state: ResourceState): boolean;
}
