import type { RegionalAws } from '../region.js';
import type { Stack, StackEvent } from './stack.js';

export function recordEvent(aws: RegionalAws, stack: Stack, event: Omit<StackEvent, 'id' | 'at'>): void {
  const { random, scheduler } = aws.context;
  stack.events.unshift({ id: random.uuid(), at: scheduler.now(), ...event });
}

/** Moves the stack to a status, with an event and the world's own record. */
export function setStackStatus(aws: RegionalAws, stack: Stack, status: string, reason?: string): void {
  stack.status = status;
  if (reason === undefined) delete stack.statusReason;
  else stack.statusReason = reason;
  recordEvent(aws, stack, {
    logicalId: stack.name,
    physicalId: stack.id,
    type: 'AWS::CloudFormation::Stack',
    status,
    ...(reason !== undefined && { reason }),
  });
  const { account, region } = aws;
  aws.context.record({ account, region, kind: 'stack-status', subject: stack.name, detail: status });
}
