/** Storage, RBAC, admission, networking and the other groups. Notation: see schema.ts. */
export const POLICY_SCHEMA = `
StorageClass = allowVolumeExpansion:bool allowedTopologies:[]TopologySelectorTerm mountOptions:[]string
   parameters:{}string provisioner! reclaimPolicy volumeBindingMode
CSIDriver = spec!:CSIDriverSpec
CSINode = spec!:CSINodeSpec
VolumeAttachment = spec!:VolumeAttachmentSpec status:VolumeAttachmentStatus
Role = rules:[]PolicyRule
RoleBinding = roleRef!:RoleRef subjects:[]RbacSubject
ClusterRole = aggregationRule:AggregationRule rules:[]PolicyRule
ClusterRoleBinding = roleRef!:RoleRef subjects:[]RbacSubject
CustomResourceDefinition = spec!:CustomResourceDefinitionSpec status:CustomResourceDefinitionStatus
ValidatingWebhookConfiguration = webhooks:[name]ValidatingWebhook
MutatingWebhookConfiguration = webhooks:[name]MutatingWebhook
ValidatingAdmissionPolicy = spec:ValidatingAdmissionPolicySpec status:ValidatingAdmissionPolicyStatus
ValidatingAdmissionPolicyBinding = spec:ValidatingAdmissionPolicyBindingSpec
PriorityClass = description globalDefault:bool preemptionPolicy value!:int
Lease = spec:LeaseSpec
EndpointSlice = addressType! endpoints!:[]Endpoint ports:[]DiscoveryEndpointPort
Ingress = spec:IngressSpec status:IngressStatus
IngressClass = spec:IngressClassSpec
NetworkPolicy = spec:NetworkPolicySpec
APIService = spec:APIServiceSpec status:APIServiceStatus
RuntimeClass = handler! overhead:Overhead scheduling:Scheduling
FlowSchema = spec:FlowSchemaSpec status:FlowSchemaStatus
PriorityLevelConfiguration = spec:PriorityLevelConfigurationSpec status:PriorityLevelConfigurationStatus
CSIStorageCapacity = capacity:quantity maximumVolumeSize:quantity nodeTopology:LabelSelector
   storageClassName!
CertificateSigningRequest = spec!:CertificateSigningRequestSpec status:CertificateSigningRequestStatus
TopologySelectorTerm~ = matchLabelExpressions:[]TopologySelectorLabelRequirement
CSIDriverSpec = attachRequired:bool fsGroupPolicy nodeAllocatableUpdatePeriodSeconds:int podInfoOnMount:bool
   requiresRepublish:bool seLinuxMount:bool storageCapacity:bool tokenRequests:[]StorageTokenRequest
   volumeLifecycleModes:[]string
CSINodeSpec = drivers!:[name]CSINodeDriver
VolumeAttachmentSpec = attacher! nodeName! source!:VolumeAttachmentSource
VolumeAttachmentStatus = attachError:VolumeError attached!:bool attachmentMetadata:{}string
   detachError:VolumeError
PolicyRule = apiGroups:[]string nonResourceURLs:[]string resourceNames:[]string resources:[]string
   verbs!:[]string
RoleRef~ = apiGroup! kind! name!
RbacSubject~ = apiGroup kind! name! namespace
AggregationRule = clusterRoleSelectors:[]LabelSelector
CustomResourceDefinitionSpec = conversion:CustomResourceConversion group!
   names!:CustomResourceDefinitionNames preserveUnknownFields:bool scope!
   versions!:[]CustomResourceDefinitionVersion
CustomResourceDefinitionStatus = acceptedNames:CustomResourceDefinitionNames
   conditions:[type]CustomResourceDefinitionCondition storedVersions:[]string
ValidatingWebhook = admissionReviewVersions!:[]string clientConfig!:AdmissionregistrationWebhookClientConfig
   failurePolicy matchConditions:[name]MatchCondition matchPolicy name! namespaceSelector:LabelSelector
   objectSelector:LabelSelector rules:[]RuleWithOperations sideEffects! timeoutSeconds:int
MutatingWebhook = admissionReviewVersions!:[]string clientConfig!:AdmissionregistrationWebhookClientConfig
   failurePolicy matchConditions:[name]MatchCondition matchPolicy name! namespaceSelector:LabelSelector
   objectSelector:LabelSelector reinvocationPolicy rules:[]RuleWithOperations sideEffects!
   timeoutSeconds:int
ValidatingAdmissionPolicySpec = auditAnnotations:[]AuditAnnotation failurePolicy
   matchConditions:[name]MatchCondition matchConstraints:MatchResources paramKind:ParamKind
   validations:[]Validation variables:[name]Variable
ValidatingAdmissionPolicyStatus = conditions:[type]Condition observedGeneration:int
   typeChecking:TypeChecking
ValidatingAdmissionPolicyBindingSpec = matchResources:MatchResources paramRef:ParamRef policyName
   validationActions:[set]string
LeaseSpec = acquireTime:time holderIdentity leaseDurationSeconds:int leaseTransitions:int preferredHolder
   renewTime:time strategy
Endpoint = addresses!:[]string conditions:EndpointConditions deprecatedTopology:{}string hints:EndpointHints
   hostname nodeName targetRef:ObjectReference zone
DiscoveryEndpointPort = appProtocol name port:int protocol
IngressSpec = defaultBackend:IngressBackend ingressClassName rules:[]IngressRule tls:[]IngressTLS
IngressStatus = loadBalancer:IngressLoadBalancerStatus
IngressClassSpec = controller parameters:IngressClassParametersReference
NetworkPolicySpec = egress:[]NetworkPolicyEgressRule ingress:[]NetworkPolicyIngressRule
   podSelector:LabelSelector policyTypes:[]string
APIServiceSpec = caBundle group groupPriorityMinimum!:int insecureSkipTLSVerify:bool
   service:ApiregistrationServiceReference version versionPriority!:int
APIServiceStatus = conditions:[type]APIServiceCondition
Overhead = podFixed:{}quantity
Scheduling = nodeSelector:{}string tolerations:[]Toleration
FlowSchemaSpec = distinguisherMethod:FlowDistinguisherMethod matchingPrecedence:int
   priorityLevelConfiguration!:PriorityLevelConfigurationReference rules:[]PolicyRulesWithSubjects
FlowSchemaStatus = conditions:[type]FlowSchemaCondition
PriorityLevelConfigurationSpec = exempt:ExemptPriorityLevelConfiguration
   limited:LimitedPriorityLevelConfiguration type!
PriorityLevelConfigurationStatus = conditions:[type]PriorityLevelConfigurationCondition
CertificateSigningRequestSpec = expirationSeconds:int extra:{}[]string groups:[]string request! signerName!
   uid usages:[]string username
CertificateSigningRequestStatus = certificate conditions:[type]CertificateSigningRequestCondition
TopologySelectorLabelRequirement = key! values!:[]string
StorageTokenRequest = audience! expirationSeconds:int
CSINodeDriver = allocatable:VolumeNodeResources name! nodeID! topologyKeys:[]string
VolumeAttachmentSource = inlineVolumeSpec:PersistentVolumeSpec persistentVolumeName
VolumeError = errorCode:int message time:time
CustomResourceConversion = strategy! webhook:WebhookConversion
CustomResourceDefinitionNames = categories:[]string kind! listKind plural! shortNames:[]string singular
CustomResourceDefinitionVersion = additionalPrinterColumns:[]CustomResourceColumnDefinition deprecated:bool
   deprecationWarning name! schema:CustomResourceValidation selectableFields:[]SelectableField served!:bool
   storage!:bool subresources:CustomResourceSubresources
CustomResourceDefinitionCondition = lastTransitionTime:time message reason status! type!
AdmissionregistrationWebhookClientConfig = caBundle service:AdmissionregistrationServiceReference url
MatchCondition = expression! name!
RuleWithOperations = apiGroups:[]string apiVersions:[]string operations:[]string resources:[]string scope
AuditAnnotation = key! valueExpression!
MatchResources~ = excludeResourceRules:[]NamedRuleWithOperations matchPolicy namespaceSelector:LabelSelector
   objectSelector:LabelSelector resourceRules:[]NamedRuleWithOperations
ParamKind~ = apiVersion kind
Validation = expression! message messageExpression reason
Variable = expression! name!
TypeChecking = expressionWarnings:[]ExpressionWarning
ParamRef~ = name namespace parameterNotFoundAction selector:LabelSelector
EndpointConditions = ready:bool serving:bool terminating:bool
EndpointHints = forNodes:[]ForNode forZones:[]ForZone
IngressBackend = resource:TypedLocalObjectReference service:IngressServiceBackend
IngressRule = host http:HTTPIngressRuleValue
IngressTLS = hosts:[]string secretName
IngressLoadBalancerStatus = ingress:[]IngressLoadBalancerIngress
IngressClassParametersReference = apiGroup kind! name! namespace scope
NetworkPolicyEgressRule = ports:[]NetworkPolicyPort to:[]NetworkPolicyPeer
NetworkPolicyIngressRule = from:[]NetworkPolicyPeer ports:[]NetworkPolicyPort
ApiregistrationServiceReference = name namespace port:int
APIServiceCondition = lastTransitionTime:time message reason status! type!
FlowDistinguisherMethod = type!
PriorityLevelConfigurationReference = name!
PolicyRulesWithSubjects = nonResourceRules:[]NonResourcePolicyRule resourceRules:[]ResourcePolicyRule
   subjects!:[]FlowcontrolSubject
FlowSchemaCondition = lastTransitionTime:time message reason status type
ExemptPriorityLevelConfiguration = lendablePercent:int nominalConcurrencyShares:int
LimitedPriorityLevelConfiguration = borrowingLimitPercent:int lendablePercent:int
   limitResponse:LimitResponse nominalConcurrencyShares:int
PriorityLevelConfigurationCondition = lastTransitionTime:time message reason status type
CertificateSigningRequestCondition = lastTransitionTime:time lastUpdateTime:time message reason status!
   type!
VolumeNodeResources = count:int
WebhookConversion = clientConfig:ApiextensionsWebhookClientConfig conversionReviewVersions!:[]string
CustomResourceColumnDefinition = description format jsonPath! name! priority:int type!
CustomResourceValidation = openAPIV3Schema:any
SelectableField = jsonPath!
CustomResourceSubresources = scale:CustomResourceSubresourceScale status:any
AdmissionregistrationServiceReference = name! namespace! path port:int
NamedRuleWithOperations~ = apiGroups:[]string apiVersions:[]string operations:[]string
   resourceNames:[]string resources:[]string scope
ExpressionWarning = fieldRef! warning!
ForNode = name!
ForZone = name!
IngressServiceBackend = name! port:ServiceBackendPort
HTTPIngressRuleValue = paths!:[]HTTPIngressPath
IngressLoadBalancerIngress = hostname ip ports:[]IngressPortStatus
NetworkPolicyPort = endPort:int port:intOrString protocol
NetworkPolicyPeer = ipBlock:IPBlock namespaceSelector:LabelSelector podSelector:LabelSelector
NonResourcePolicyRule = nonResourceURLs!:[]string verbs!:[]string
ResourcePolicyRule = apiGroups!:[]string clusterScope:bool namespaces:[]string resources!:[]string
   verbs!:[]string
FlowcontrolSubject = group:GroupSubject kind! serviceAccount:ServiceAccountSubject user:UserSubject
LimitResponse = queuing:QueuingConfiguration type!
ApiextensionsWebhookClientConfig = caBundle service:ApiextensionsServiceReference url
CustomResourceSubresourceScale = labelSelectorPath specReplicasPath! statusReplicasPath!
ServiceBackendPort = name number:int
HTTPIngressPath = backend!:IngressBackend path pathType!
IngressPortStatus = error port!:int protocol!
IPBlock = cidr! except:[]string
GroupSubject = name!
ServiceAccountSubject = name! namespace!
UserSubject = name!
QueuingConfiguration = handSize:int queueLengthLimit:int queues:int
ApiextensionsServiceReference = name! namespace! path port:int
`;
