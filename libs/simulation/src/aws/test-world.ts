import { minutes } from '#kernel';
import { SeededRandom } from '../time/seeded-random.js';
import { VirtualScheduler } from '../time/virtual-scheduler.js';
import { AwsWorld } from './aws-world.js';
import type { StackRequest } from './cloudformation/inputs.js';
import type { Stack } from './cloudformation/stack.js';
import type { RegionalAws } from './region.js';

export const ACCOUNT = '123456789012';

export interface TestWorld {
  readonly scheduler: VirtualScheduler;
  readonly world: AwsWorld;
  readonly aws: RegionalAws;
  /** Runs until the predicate holds; throws after an hour of virtual time. */
  until(what: string, predicate: () => boolean): void;
}

/** One account in one region, in virtual time. */
export function testWorld(seed = 1): TestWorld {
  const scheduler = new VirtualScheduler();
  const world = new AwsWorld({ scheduler, random: new SeededRandom(seed) });
  world.addAccount({ id: ACCOUNT });
  return {
    scheduler,
    world,
    aws: world.region(ACCOUNT, 'eu-central-1'),
    until: (what, predicate) => {
      if (!scheduler.runUntil(predicate, minutes(60))) throw new Error(`${what} did not happen`);
    },
  };
}

export const stackRequest = (
  stackName: string,
  templateBody: string,
  parameters: Readonly<Record<string, string>> = {},
): StackRequest => ({
  stackName,
  templateBody,
  parameters: Object.entries(parameters).map(([key, value]) => ({ key, value })),
  capabilities: ['CAPABILITY_NAMED_IAM'],
});

/** Creates a stack and runs until its status is final. */
export function createStack({ aws, until }: TestWorld, request: StackRequest): Stack {
  const stack = aws.cloudFormation.createStack({
    ...request,
    onFailure: 'ROLLBACK',
    terminationProtection: false,
  });
  until(`creation of ${stack.name}`, () => !stack.status.endsWith('_IN_PROGRESS'));
  return stack;
}

export function updateStack({ aws, until }: TestWorld, request: StackRequest): Stack {
  const stack = aws.cloudFormation.updateStack({ ...request, disableRollback: false });
  until(`update of ${stack.name}`, () => !stack.status.endsWith('_IN_PROGRESS'));
  return stack;
}
