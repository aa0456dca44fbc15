import type { AwsWorld } from '../aws/aws-world.js';
import { clusterOf, isMaster } from '../kubernetes/kubelet/machine-node.js';
import type { ScalableGroup } from './cluster-autoscaler.js';

const instanceOf = (providerId: string): string => providerId.split('/').at(-1) ?? '';

/** The Auto Scaling groups of a cluster's worker pools, as its autoscaler may use them. */
export function scalableGroups(aws: AwsWorld, clusterId: string): readonly ScalableGroup[] {
  return aws.regions().flatMap(({ autoScaling }) =>
    autoScaling.all().flatMap((group): ScalableGroup[] => {
      const tags = Object.fromEntries([...group.tags.values()].map((tag) => [tag.key, tag.value]));
      if (clusterOf({ tags }) !== clusterId || group.deleting || isMaster({ tags, userData: '' })) return [];
      return [
        {
          name: group.name,
          desired: group.desiredCapacity,
          min: group.minSize,
          max: group.maxSize,
          setDesired: (desired) => autoScaling.setDesiredCapacity(group.name, desired),
          owns: (providerId) => group.instances.has(instanceOf(providerId)),
          removeNode: (providerId) => void autoScaling.terminateInstance(instanceOf(providerId), true),
        },
      ];
    }),
  );
}
