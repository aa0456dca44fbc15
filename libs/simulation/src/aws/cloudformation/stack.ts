import type { Instant } from '#kernel';
import type { Props } from '../props.js';
import type { ChangeSet } from './change-set.js';
import type { WorkParts } from './resource-work.js';
import type { Template } from './template.js';

export interface ResourceState {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface StackResource {
  readonly logicalId: string;
  type: string;
  state: ResourceState | undefined;
  /** Resolved. */
  properties: Props;
  status: string;
  statusReason?: string;
  updatedAt: Instant;
  deletionPolicy: string;
}

export interface StackEvent {
  readonly id: string;
  readonly at: Instant;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly token?: string;
}

/** What an operation brings a stack to. */
export interface StackInput {
  readonly body: string;
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
}

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly exportName?: string;
}

export interface Stack {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Instant;
  updatedAt?: Instant;
  deletedAt?: Instant;
  status: string;
  statusReason?: string;
  /** Absent while only a change set of type CREATE exists. */
  input?: StackInput;
  outputs: readonly StackOutput[];
  terminationProtection: boolean;
  disableRollback: boolean;
  policy?: string;
  readonly resources: Map<string, StackResource>;
  /** Newest first. */
  readonly events: StackEvent[];
  readonly changeSets: Map<string, ChangeSet>;
  /** Client request tokens seen, by `verb token`. */
  readonly tokens: Set<string>;
  /** Names of other stacks' exports that the template used. */
  readonly imports: Set<string>;
  /** Where a failed update rollback has to go on from. */
  rollback?: WorkParts;
}

export const isBusy = (stack: Stack): boolean =>
  stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS';

const UPDATABLE = new Set([
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_COMPLETE',
]);
export const isUpdatable = (stack: Stack): boolean => UPDATABLE.has(stack.status);
