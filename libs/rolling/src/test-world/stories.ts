import type { RollPolicy } from '../policy.js';
import { policyFor } from '../policy-for.js';
import type { WorldSpec } from './world-types.js';

/** The policy of a test cluster, with changes. */
export function testPolicy(overrides: Partial<RollPolicy> = {}): RollPolicy {
  const policy = policyFor({}, 'test', overrides);
  if (!policy.ok) throw new Error(policy.error.message);
  return policy.value;
}

/** Three masters behind a load balancer and four workers whose group is at its maximum. */
export const mastersAndWorkers: WorldSpec = {
  groups: [
    {
      name: 'asg-masters',
      pool: 'masters',
      master: true,
      size: 3,
      targetGroups: ['arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/api/1'],
    },
    { name: 'asg-workers', pool: 'workers', size: 4, maxSize: 4 },
  ],
  workloads: [
    { name: 'web', replicas: 6, maxUnavailable: 1 },
    { name: 'batch', replicas: 5 },
    { name: 'db', kind: 'StatefulSet', replicas: 3, maxUnavailable: 1, volumes: true },
    { name: 'dns', replicas: 2, maxUnavailable: 1, priority: 2_000_000_000 },
  ],
  deregistrationMs: 20_000,
};

/** The least world with a master, surge, PDBs and volumes: for the enumeration of crashes. */
export const small: WorldSpec = {
  groups: [
    {
      name: 'asg-masters',
      pool: 'masters',
      master: true,
      size: 1,
      targetGroups: ['arn:aws:x:targetgroup/api/1'],
    },
    { name: 'asg-workers', pool: 'workers', size: 3, maxSize: 3 },
  ],
  workloads: [
    { name: 'web', replicas: 4, maxUnavailable: 1 },
    { name: 'db', kind: 'StatefulSet', replicas: 2, maxUnavailable: 1, volumes: true },
  ],
  deregistrationMs: 20_000,
};

export const workersOnly = (size: number, more: Partial<WorldSpec> = {}): WorldSpec => ({
  groups: [{ name: 'asg-workers', pool: 'workers', size, maxSize: size + 10 }],
  workloads: [{ name: 'web', replicas: size, maxUnavailable: 1 }],
  ...more,
});
