/** Services, nodes, namespaces and the other small core/v1 kinds. Notation: see schema.ts. */
export const CORE_SCHEMA = `
Pod = spec:PodSpec status:PodStatus
Service = spec:ServiceSpec status:ServiceStatus
ConfigMap = binaryData:{}string data:{}string immutable:bool
Secret = data:{}string immutable:bool stringData:{}string type
ServiceAccount = automountServiceAccountToken:bool imagePullSecrets:[]LocalObjectReference
   secrets:[name]ObjectReference
Namespace = spec:NamespaceSpec status:NamespaceStatus
Node = spec:NodeSpec status:NodeStatus
Event = action count:int eventTime:time firstTimestamp:time involvedObject!:ObjectReference
   lastTimestamp:time message reason related:ObjectReference reportingComponent reportingInstance
   series:CoreEventSeries source:EventSource type
Endpoints = subsets:[]EndpointSubset
LimitRange = spec:LimitRangeSpec
ResourceQuota = spec:ResourceQuotaSpec status:ResourceQuotaStatus
Binding = target!:ObjectReference
PodTemplate = template:PodTemplateSpec
ServiceSpec = allocateLoadBalancerNodePorts:bool clusterIP clusterIPs:[]string externalIPs:[]string
   externalName externalTrafficPolicy healthCheckNodePort:int internalTrafficPolicy ipFamilies:[]string
   ipFamilyPolicy loadBalancerClass loadBalancerIP loadBalancerSourceRanges:[]string
   ports:[port,protocol=TCP]ServicePort publishNotReadyAddresses:bool selector:~{}string sessionAffinity
   sessionAffinityConfig:SessionAffinityConfig trafficDistribution type
ServiceStatus = conditions:[type]Condition loadBalancer:LoadBalancerStatus
ObjectReference~ = apiVersion fieldPath kind name namespace resourceVersion uid
NamespaceSpec = finalizers:[]string
NamespaceStatus = conditions:[type]NamespaceCondition phase
NodeSpec = configSource:NodeConfigSource externalID podCIDR podCIDRs:[set]string providerID taints:[]Taint
   unschedulable:bool
NodeStatus = addresses:[type]NodeAddress allocatable:{}quantity capacity:{}quantity
   conditions:[type]NodeCondition config:NodeConfigStatus daemonEndpoints:NodeDaemonEndpoints
   features:NodeFeatures images:[]ContainerImage nodeInfo:NodeSystemInfo phase
   runtimeHandlers:[]NodeRuntimeHandler volumesAttached:[]AttachedVolume volumesInUse:[]string
CoreEventSeries = count:int lastObservedTime:time
EventSource = component host
EndpointSubset = addresses:[]EndpointAddress notReadyAddresses:[]EndpointAddress ports:[]CoreEndpointPort
LimitRangeSpec = limits!:[]LimitRangeItem
ResourceQuotaSpec = hard:{}quantity scopeSelector:ScopeSelector scopes:[]string
ResourceQuotaStatus = hard:{}quantity used:{}quantity
PodTemplateSpec = metadata:ObjectMeta spec:PodSpec
ServicePort = appProtocol name nodePort:int port!:int protocol targetPort:intOrString
SessionAffinityConfig = clientIP:ClientIPConfig
Condition = lastTransitionTime!:time message! observedGeneration:int reason! status! type!
LoadBalancerStatus = ingress:[]LoadBalancerIngress
NamespaceCondition = lastTransitionTime:time message reason status! type!
NodeConfigSource = configMap:ConfigMapNodeConfigSource
Taint = effect! key! timeAdded:time value
NodeAddress = address! type!
NodeCondition = lastHeartbeatTime:time lastTransitionTime:time message reason status! type!
NodeConfigStatus = active:NodeConfigSource assigned:NodeConfigSource error lastKnownGood:NodeConfigSource
NodeDaemonEndpoints = kubeletEndpoint:DaemonEndpoint
NodeFeatures = supplementalGroupsPolicy:bool
ContainerImage = names:[]string sizeBytes:int
NodeSystemInfo = architecture! bootID! containerRuntimeVersion! kernelVersion! kubeProxyVersion!
   kubeletVersion! machineID! operatingSystem! osImage! swap:NodeSwapStatus systemUUID!
NodeRuntimeHandler = features:NodeRuntimeHandlerFeatures name
AttachedVolume = devicePath! name!
ModifyVolumeStatus = status! targetVolumeAttributesClassName
EndpointAddress = hostname ip! nodeName targetRef:ObjectReference
CoreEndpointPort = appProtocol name port!:int protocol
LimitRangeItem = default:{}quantity defaultRequest:{}quantity max:{}quantity maxLimitRequestRatio:{}quantity
   min:{}quantity type!
ScopeSelector~ = matchExpressions:[]ScopedResourceSelectorRequirement
ObjectMeta = annotations:{}string creationTimestamp:time deletionGracePeriodSeconds:int
   deletionTimestamp:time finalizers:[set]string generateName generation:int labels:{}string
   managedFields:[]ManagedFieldsEntry name namespace ownerReferences:[uid]OwnerReference resourceVersion uid
ClientIPConfig = timeoutSeconds:int
LoadBalancerIngress = hostname ip ipMode ports:[]PortStatus
ConfigMapNodeConfigSource = kubeletConfigKey! name! namespace! resourceVersion uid
DaemonEndpoint = Port!:int
NodeSwapStatus = capacity:int
NodeRuntimeHandlerFeatures = recursiveReadOnlyMounts:bool userNamespaces:bool
ScopedResourceSelectorRequirement = operator! scopeName! values:[]string
ManagedFieldsEntry = apiVersion fieldsType fieldsV1:any manager operation subresource time:time
OwnerReference~ = apiVersion! blockOwnerDeletion:bool controller:bool kind! name! uid!
PortStatus = error port!:int protocol!
DeleteOptions = gracePeriodSeconds:int preconditions:Preconditions orphanDependents:bool propagationPolicy
   dryRun:[]string
Preconditions = uid resourceVersion
Eviction = deleteOptions:DeleteOptions
SelfSubjectAccessReview = spec!:SelfSubjectAccessReviewSpec
SelfSubjectAccessReviewSpec = resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes
ResourceAttributes = namespace verb group version resource subresource name
NonResourceAttributes = path verb
`;
