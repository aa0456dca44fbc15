/** What the simulated conformance image can run: names shaped like upstream's, with the tags that focus and skip match. */
export interface ConformanceTest {
  readonly name: string;
  readonly seconds: number;
}

const BASIC_STATEFUL_SET = '[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic]';

const TABLE: readonly (readonly [string, number])[] = [
  [
    '[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource [Conformance]',
    8,
  ],
  [
    '[sig-api-machinery] CustomResourceDefinition resources Simple CustomResourceDefinition creating/deleting custom resource definition objects works [Conformance]',
    5,
  ],
  [
    '[sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning [Conformance]',
    11,
  ],
  [
    '[sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted [Conformance]',
    20,
  ],
  [
    '[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replica set. [Conformance]',
    11,
  ],
  [
    '[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps [Conformance]',
    10,
  ],
  ['[sig-apps] CronJob should schedule multiple jobs concurrently [Conformance]', 30],
  ['[sig-apps] Daemon set [Serial] should rollback without unnecessary restarts [Conformance]', 15],
  ['[sig-apps] Daemon set [Serial] should run and stop simple daemon [Conformance]', 12],
  ['[sig-apps] Deployment deployment should support rollover [Conformance]', 14],
  [
    '[sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones [Conformance]',
    9,
  ],
  [
    '[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it [Conformance]',
    9,
  ],
  [
    '[sig-apps] Job should run a job to completion when tasks sometimes fail and are locally restarted [Conformance]',
    12,
  ],
  ['[sig-apps] ReplicaSet should serve a basic image on each replica with a public image [Conformance]', 7],
  [
    `${BASIC_STATEFUL_SET} Burst scaling should run to completion even with unhealthy pods [Slow] [Conformance]`,
    30,
  ],
  [
    `${BASIC_STATEFUL_SET} Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow] [Conformance]`,
    40,
  ],
  [`${BASIC_STATEFUL_SET} Should recreate evicted statefulset [Conformance]`, 15],
  [`${BASIC_STATEFUL_SET} should have a working scale subresource [Conformance]`, 12],
  [
    `${BASIC_STATEFUL_SET} should perform canary updates and phased rolling updates of template modifications [Conformance]`,
    35,
  ],
  [
    `${BASIC_STATEFUL_SET} should perform rolling updates and roll backs of template modifications [Conformance]`,
    35,
  ],
  [`${BASIC_STATEFUL_SET} should provide basic identity`, 25],
  ['[sig-auth] ServiceAccounts should mount an API token into pods [Conformance]', 6],
  [
    '[sig-cli] Kubectl client Guestbook application should create and stop a working application [Conformance]',
    20,
  ],
  ['[sig-network] DNS should provide DNS for services [Conformance]', 14],
  [
    '[sig-network] EndpointSlice should create and delete Endpoints and EndpointSlices for a Service with a selector specified [Conformance]',
    8,
  ],
  [
    '[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: http [NodeConformance] [Conformance]',
    15,
  ],
  [
    '[sig-network] Services should be able to switch session affinity for NodePort service [LinuxOnly] [Conformance]',
    16,
  ],
  ['[sig-network] Services should serve a basic endpoint from pods [Conformance]', 7],
  ['[sig-node] Pods should be submitted and removed [NodeConformance] [Conformance]', 8],
  [
    '[sig-node] Probing container should be restarted with a /healthz http liveness probe [NodeConformance] [Conformance]',
    20,
  ],
  ['[sig-node] Secrets should be consumable from pods in env vars [NodeConformance] [Conformance]', 5],
  [
    '[sig-scheduling] SchedulerPredicates [Serial] validates resource limits of pods that are allowed to run [Conformance]',
    10,
  ],
  ['[sig-storage] ConfigMap should be consumable from pods in volume [NodeConformance] [Conformance]', 5],
  [
    '[sig-storage] EmptyDir volumes should support (root,0644,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]',
    5,
  ],
  [
    '[sig-storage] Projected configMap updates should be reflected in volume [NodeConformance] [Conformance]',
    10,
  ],
  [
    '[sig-apps] Disruptive node drain should evict pods and respect disruption budgets [Disruptive] [Serial]',
    60,
  ],
];

export const conformanceTests: readonly ConformanceTest[] = TABLE.map(([name, seconds]) => ({
  name,
  seconds,
}));
