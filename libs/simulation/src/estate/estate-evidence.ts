import type { AwsWorld } from '../aws/aws-world.js';
import type { Group } from '../aws/auto-scaling-model.js';
import type { RegionalAws } from '../aws/region.js';
import { clusterOf, isMaster, poolOf } from '../kubernetes/kubelet/machine-node.js';
import { ClusterWitness, type PoolTruth } from './cluster-evidence.js';
import type { EvidenceReport } from './evidence-report.js';
import type { LivingCluster } from './living-cluster.js';

const TERMINATIONS = new Set(['TerminateInstances', 'TerminateInstanceInAutoScalingGroup']);

/** Samples the whole estate at every change, and reads the call logs at the end. */
export class EstateWitness {
  private readonly witnesses = new Map<string, ClusterWitness>();
  private readonly stop: () => void;

  constructor(private readonly aws: AwsWorld) {
    this.stop = aws.onCloudEvent((event) => {
      if (event.kind.startsWith('instance-'))
        for (const witness of this.witnesses.values()) witness.sampleNodes();
    });
  }

  watch(cluster: LivingCluster): void {
    this.witnesses.set(cluster.id, new ClusterWitness(cluster, () => poolTruths(this.aws, cluster.id)));
  }

  close(): void {
    this.stop();
  }

  report(): EvidenceReport {
    const clusters = [...this.witnesses.values()].map((witness) => witness.report());
    const granted = grantedTerminations(this.aws);
    const terminatedTwice = [...granted].filter(([, times]) => times > 1).map(([instance]) => instance);
    const bad = clusters.some(
      (cluster) =>
        cluster.protectedDeletes.length > 0 ||
        cluster.workersBeforeMasters.length > 0 ||
        cluster.budgets.some((budget) => budget.breaches > 0) ||
        cluster.pools.some((pool) => pool.maxAway > 1),
    );
    return {
      clusters,
      terminatedTwice,
      terminations: granted.size,
      clean: !bad && terminatedTwice.length === 0,
    };
  }
}

function grantedTerminations(aws: AwsWorld): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const call of aws.calls.query({ outcome: 'ok', mutating: true })) {
    if (!TERMINATIONS.has(call.action)) continue;
    for (const instance of instanceIdsIn(call.params)) times.set(instance, (times.get(instance) ?? 0) + 1);
  }
  return times;
}

/** Every spelling of the parameter: `InstanceId`, `InstanceIds`, `InstanceId.1`. */
const instanceIdsIn = (value: unknown): readonly string[] => [
  ...new Set(JSON.stringify(value ?? {}).match(/i-[0-9a-f]{8,17}/g) ?? []),
];

/** The pools of a cluster as their Auto Scaling groups have them; a pool of several groups is added up. */
function poolTruths(aws: AwsWorld, clusterId: string): readonly PoolTruth[] {
  const pools = new Map<string, PoolTruth>();
  for (const home of aws.regions()) {
    for (const group of home.autoScaling.all()) {
      const tags = Object.fromEntries([...group.tags.values()].map((tag) => [tag.key, tag.value]));
      const pool = poolOf({ tags });
      if (clusterOf({ tags }) !== clusterId || pool === undefined || group.deleting) continue;
      const known = pools.get(pool);
      pools.set(pool, {
        pool,
        master: isMaster({ tags, userData: '' }),
        desired: (known?.desired ?? 0) + group.desiredCapacity,
        unsettled: known?.unsettled === true || isUnsettled(home, group),
      });
    }
  }
  return [...pools.values()];
}

function isUnsettled(home: RegionalAws, group: Group): boolean {
  if (group.instances.size !== group.desiredCapacity) return true;
  const wanted = group.launchTemplate && versionOf(home, group.launchTemplate);
  return [...group.instances.values()].some(
    (member) =>
      member.state !== 'InService' || (wanted !== undefined && member.launchTemplate?.version !== wanted),
  );
}

function versionOf(home: RegionalAws, reference: NonNullable<Group['launchTemplate']>): number | undefined {
  try {
    return home.launchTemplates.resolve(reference).version.number;
  } catch {
    return undefined;
  }
}
