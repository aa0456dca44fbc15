/** apps, batch, autoscaling and policy/v1. Notation: see schema.ts. */
export const WORKLOAD_SCHEMA = `
Deployment = spec:DeploymentSpec status:DeploymentStatus
ReplicaSet = spec:ReplicaSetSpec status:ReplicaSetStatus
StatefulSet = spec:StatefulSetSpec status:StatefulSetStatus
DaemonSet = spec:DaemonSetSpec status:DaemonSetStatus
ControllerRevision = data:any revision!:int
Job = spec:JobSpec status:JobStatus
CronJob = spec:CronJobSpec status:CronJobStatus
PodDisruptionBudget = spec:PodDisruptionBudgetSpec status:PodDisruptionBudgetStatus
HorizontalPodAutoscaler = spec:HorizontalPodAutoscalerSpec status:HorizontalPodAutoscalerStatus
Scale = spec:ScaleSpec status:ScaleStatus
DeploymentSpec = minReadySeconds:int paused:bool progressDeadlineSeconds:int replicas:int
   revisionHistoryLimit:int selector!:LabelSelector strategy:DeploymentStrategy template!:PodTemplateSpec
DeploymentStatus = availableReplicas:int collisionCount:int conditions:[type]DeploymentCondition
   observedGeneration:int readyReplicas:int replicas:int terminatingReplicas:int unavailableReplicas:int
   updatedReplicas:int
ReplicaSetSpec = minReadySeconds:int replicas:int selector!:LabelSelector template:PodTemplateSpec
ReplicaSetStatus = availableReplicas:int conditions:[type]ReplicaSetCondition fullyLabeledReplicas:int
   observedGeneration:int readyReplicas:int replicas!:int terminatingReplicas:int
StatefulSetSpec = minReadySeconds:int ordinals:StatefulSetOrdinals
   persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy podManagementPolicy
   replicas:int revisionHistoryLimit:int selector!:LabelSelector serviceName template!:PodTemplateSpec
   updateStrategy:StatefulSetUpdateStrategy volumeClaimTemplates:[]PersistentVolumeClaim
StatefulSetStatus = availableReplicas:int collisionCount:int conditions:[type]StatefulSetCondition
   currentReplicas:int currentRevision observedGeneration:int readyReplicas:int replicas!:int updateRevision
   updatedReplicas:int
DaemonSetSpec = minReadySeconds:int revisionHistoryLimit:int selector!:LabelSelector
   template!:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy
DaemonSetStatus = collisionCount:int conditions:[type]DaemonSetCondition currentNumberScheduled!:int
   desiredNumberScheduled!:int numberAvailable:int numberMisscheduled!:int numberReady!:int
   numberUnavailable:int observedGeneration:int updatedNumberScheduled:int
JobSpec = activeDeadlineSeconds:int backoffLimit:int backoffLimitPerIndex:int completionMode completions:int
   managedBy manualSelector:bool maxFailedIndexes:int parallelism:int podFailurePolicy:PodFailurePolicy
   podReplacementPolicy selector:LabelSelector successPolicy:SuccessPolicy suspend:bool
   template!:PodTemplateSpec ttlSecondsAfterFinished:int
JobStatus = active:int completedIndexes completionTime:time conditions:[]JobCondition failed:int
   failedIndexes ready:int startTime:time succeeded:int terminating:int
   uncountedTerminatedPods:UncountedTerminatedPods
CronJobSpec = concurrencyPolicy failedJobsHistoryLimit:int jobTemplate!:JobTemplateSpec schedule!
   startingDeadlineSeconds:int successfulJobsHistoryLimit:int suspend:bool timeZone
CronJobStatus = active:[]ObjectReference lastScheduleTime:time lastSuccessfulTime:time
PodDisruptionBudgetSpec = maxUnavailable:intOrString minAvailable:intOrString selector:LabelSelector
   unhealthyPodEvictionPolicy
PodDisruptionBudgetStatus = conditions:[type]Condition currentHealthy!:int desiredHealthy!:int
   disruptedPods:{}string disruptionsAllowed!:int expectedPods!:int observedGeneration:int
HorizontalPodAutoscalerSpec = behavior:HorizontalPodAutoscalerBehavior maxReplicas!:int metrics:[]MetricSpec
   minReplicas:int scaleTargetRef!:CrossVersionObjectReference
HorizontalPodAutoscalerStatus = conditions:[type]HorizontalPodAutoscalerCondition
   currentMetrics:[]MetricStatus currentReplicas:int desiredReplicas!:int lastScaleTime:time
   observedGeneration:int
ScaleSpec = replicas:int
ScaleStatus = replicas!:int selector
DeploymentStrategy = rollingUpdate:RollingUpdateDeployment type
DeploymentCondition = lastTransitionTime:time lastUpdateTime:time message reason status! type!
ReplicaSetCondition = lastTransitionTime:time message reason status! type!
StatefulSetOrdinals = start:int
StatefulSetPersistentVolumeClaimRetentionPolicy = whenDeleted whenScaled
StatefulSetUpdateStrategy = rollingUpdate:RollingUpdateStatefulSetStrategy type
StatefulSetCondition = lastTransitionTime:time message reason status! type!
DaemonSetUpdateStrategy = rollingUpdate:RollingUpdateDaemonSet type
DaemonSetCondition = lastTransitionTime:time message reason status! type!
PodFailurePolicy = rules!:[]PodFailurePolicyRule
SuccessPolicy = rules!:[]SuccessPolicyRule
JobCondition = lastProbeTime:time lastTransitionTime:time message reason status! type!
UncountedTerminatedPods = failed:[set]string succeeded:[set]string
JobTemplateSpec = metadata:ObjectMeta spec:JobSpec
HorizontalPodAutoscalerBehavior = scaleDown:HPAScalingRules scaleUp:HPAScalingRules
MetricSpec = containerResource:ContainerResourceMetricSource external:ExternalMetricSource
   object:ObjectMetricSource pods:PodsMetricSource resource:ResourceMetricSource type!
CrossVersionObjectReference~ = apiVersion kind! name!
HorizontalPodAutoscalerCondition = lastTransitionTime:time message reason status! type!
MetricStatus = containerResource:ContainerResourceMetricStatus external:ExternalMetricStatus
   object:ObjectMetricStatus pods:PodsMetricStatus resource:ResourceMetricStatus type!
RollingUpdateDeployment = maxSurge:intOrString maxUnavailable:intOrString
RollingUpdateStatefulSetStrategy = maxUnavailable:intOrString partition:int
RollingUpdateDaemonSet = maxSurge:intOrString maxUnavailable:intOrString
PodFailurePolicyRule = action! onExitCodes:PodFailurePolicyOnExitCodesRequirement
   onPodConditions:[]PodFailurePolicyOnPodConditionsPattern
SuccessPolicyRule = succeededCount:int succeededIndexes
HPAScalingRules = policies:[]HPAScalingPolicy selectPolicy stabilizationWindowSeconds:int tolerance:quantity
ContainerResourceMetricSource = container! name! target!:MetricTarget
ExternalMetricSource = metric!:MetricIdentifier target!:MetricTarget
ObjectMetricSource = describedObject!:CrossVersionObjectReference metric!:MetricIdentifier
   target!:MetricTarget
PodsMetricSource = metric!:MetricIdentifier target!:MetricTarget
ResourceMetricSource = name! target!:MetricTarget
ContainerResourceMetricStatus = container! current!:MetricValueStatus name!
ExternalMetricStatus = current!:MetricValueStatus metric!:MetricIdentifier
ObjectMetricStatus = current!:MetricValueStatus describedObject!:CrossVersionObjectReference
   metric!:MetricIdentifier
PodsMetricStatus = current!:MetricValueStatus metric!:MetricIdentifier
ResourceMetricStatus = current!:MetricValueStatus name!
PodFailurePolicyOnExitCodesRequirement = containerName operator! values!:[]int
PodFailurePolicyOnPodConditionsPattern = status! type!
HPAScalingPolicy = periodSeconds!:int type! value!:int
MetricTarget = averageUtilization:int averageValue:quantity type! value:quantity
MetricIdentifier = name! selector:LabelSelector
MetricValueStatus = averageUtilization:int averageValue:quantity value:quantity
`;
