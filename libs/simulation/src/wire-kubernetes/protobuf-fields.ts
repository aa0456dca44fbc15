/**
 * Protobuf field numbers of the kinds that kubectl sends as protobuf: what `kubectl create …`, `kubectl auth can-i`,
 * evictions and deletions carry. Names and types are those of the schema tables; `-` marks a field that is skipped.
 */
export const PROTOBUF_FIELDS = `
ObjectMeta = 1 name 2 generateName 3 namespace 4 - 5 uid 6 resourceVersion 7 generation 8 creationTimestamp
  9 deletionTimestamp 10 deletionGracePeriodSeconds 11 labels 12 annotations 13 ownerReferences 14 finalizers 17 -
OwnerReference = 1 kind 3 name 4 uid 5 apiVersion 6 controller 7 blockOwnerDeletion
Namespace = 1 metadata 2 spec 3 -
NamespaceSpec = 1 finalizers
ConfigMap = 1 metadata 2 data 3 binaryData 4 immutable
Secret = 1 metadata 2 data 3 type 4 stringData 5 immutable
ServiceAccount = 1 metadata 2 secrets 3 imagePullSecrets 4 automountServiceAccountToken
ObjectReference = 1 kind 2 namespace 3 name 4 uid 5 apiVersion 6 resourceVersion 7 fieldPath
LocalObjectReference = 1 name
Service = 1 metadata 2 spec 3 -
ServiceSpec = 1 ports 2 selector 3 clusterIP 4 type 5 externalIPs 7 sessionAffinity 8 loadBalancerIP
  9 loadBalancerSourceRanges 10 externalName 11 externalTrafficPolicy 12 healthCheckNodePort
  13 publishNotReadyAddresses 18 clusterIPs 19 ipFamilies
ServicePort = 1 name 2 protocol 3 port 4 targetPort 5 nodePort 6 appProtocol
ResourceQuota = 1 metadata 2 spec 3 -
ResourceQuotaSpec = 1 hard 2 scopes
Deployment = 1 metadata 2 spec 3 -
DeploymentSpec = 1 replicas 2 selector 3 template 4 strategy 5 minReadySeconds 6 revisionHistoryLimit 7 paused
  9 progressDeadlineSeconds
DeploymentStrategy = 1 type 2 rollingUpdate
RollingUpdateDeployment = 1 maxUnavailable 2 maxSurge
LabelSelector = 1 matchLabels 2 matchExpressions
LabelSelectorRequirement = 1 key 2 operator 3 values
PodTemplateSpec = 1 metadata 2 spec
PodSpec = 2 containers 3 restartPolicy 4 terminationGracePeriodSeconds 5 activeDeadlineSeconds 6 dnsPolicy
  7 nodeSelector 8 serviceAccountName 9 serviceAccount 10 nodeName 11 hostNetwork 12 hostPID 13 hostIPC
  15 imagePullSecrets 16 hostname 17 subdomain 19 schedulerName 20 initContainers 21 automountServiceAccountToken
  24 priorityClassName 25 priority
Container = 1 name 2 image 3 command 4 args 5 workingDir 6 ports 7 env 8 resources 13 terminationMessagePath
  14 imagePullPolicy 16 stdin 17 stdinOnce 18 tty 20 terminationMessagePolicy
ContainerPort = 1 name 2 hostPort 3 containerPort 4 protocol 5 hostIP
EnvVar = 1 name 2 value
ResourceRequirements = 1 limits 2 requests
Job = 1 metadata 2 spec 3 -
JobSpec = 1 parallelism 2 completions 3 activeDeadlineSeconds 4 selector 5 manualSelector 6 template 7 backoffLimit
  8 ttlSecondsAfterFinished
CronJob = 1 metadata 2 spec 3 -
CronJobSpec = 1 schedule 2 startingDeadlineSeconds 3 concurrencyPolicy 4 suspend 5 jobTemplate
  6 successfulJobsHistoryLimit 7 failedJobsHistoryLimit 8 timeZone
JobTemplateSpec = 1 metadata 2 spec
PodDisruptionBudget = 1 metadata 2 spec 3 -
PodDisruptionBudgetSpec = 1 minAvailable 2 selector 3 maxUnavailable 4 unhealthyPodEvictionPolicy
PriorityClass = 1 metadata 2 value 3 globalDefault 4 description 5 preemptionPolicy
Role = 1 metadata 2 rules
ClusterRole = 1 metadata 2 rules
PolicyRule = 1 verbs 2 apiGroups 3 resources 4 resourceNames 5 nonResourceURLs
RoleBinding = 1 metadata 2 subjects 3 roleRef
ClusterRoleBinding = 1 metadata 2 subjects 3 roleRef
RbacSubject = 1 kind 2 apiGroup 3 name 4 namespace
RoleRef = 1 apiGroup 2 kind 3 name
Eviction = 1 metadata 2 deleteOptions
DeleteOptions = 1 gracePeriodSeconds 2 preconditions 3 orphanDependents 4 propagationPolicy 5 dryRun
Preconditions = 1 uid 2 resourceVersion
SelfSubjectAccessReview = 1 metadata 2 spec 3 -
SelfSubjectAccessReviewSpec = 1 resourceAttributes 2 nonResourceAttributes
ResourceAttributes = 1 namespace 2 verb 3 group 4 version 5 resource 6 subresource 7 name 8 - 9 -
NonResourceAttributes = 1 path 2 verb
`;

/** Pointers in the server's types: present at all, a zero is meant. Everything else at zero is unset. */
export const MEANT_AT_ZERO: ReadonlySet<string> = new Set([
  'replicas',
  'revisionHistoryLimit',
  'progressDeadlineSeconds',
  'terminationGracePeriodSeconds',
  'gracePeriodSeconds',
  'parallelism',
  'completions',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'successfulJobsHistoryLimit',
  'failedJobsHistoryLimit',
  'automountServiceAccountToken',
  'orphanDependents',
  'immutable',
  'suspend',
]);

/** Maps whose values are bytes: JSON carries them as base64. */
export const BYTES: ReadonlySet<string> = new Set(['Secret.data', 'ConfigMap.binaryData']);
