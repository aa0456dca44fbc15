import type { ResourceType, Subresource } from './resource-type.js';

/**
 * `group/version resource Kind [shortNames] +subresources`; `-` in front of a resource means cluster-scoped.
 * Order is the order of discovery.
 */
const TABLE = `
v1 pods Pod po @all +status +eviction +log +binding
v1 services Service svc @all +status
v1 configmaps ConfigMap cm
v1 secrets Secret
v1 serviceaccounts ServiceAccount sa
v1 -namespaces Namespace ns +status
v1 -nodes Node no +status
v1 -persistentvolumes PersistentVolume pv +status
v1 persistentvolumeclaims PersistentVolumeClaim pvc +status
v1 events Event ev
v1 endpoints Endpoints ep
v1 limitranges LimitRange limits
v1 resourcequotas ResourceQuota quota +status
v1 podtemplates PodTemplate
apps/v1 deployments Deployment deploy @all +status +scale
apps/v1 replicasets ReplicaSet rs @all +status +scale
apps/v1 statefulsets StatefulSet sts @all +status +scale
apps/v1 daemonsets DaemonSet ds @all +status
apps/v1 controllerrevisions ControllerRevision
batch/v1 jobs Job @all +status
batch/v1 cronjobs CronJob cj @all +status
autoscaling/v2 horizontalpodautoscalers HorizontalPodAutoscaler hpa @all +status
policy/v1 poddisruptionbudgets PodDisruptionBudget pdb +status
networking.k8s.io/v1 ingresses Ingress ing +status
networking.k8s.io/v1 -ingressclasses IngressClass
networking.k8s.io/v1 networkpolicies NetworkPolicy netpol
rbac.authorization.k8s.io/v1 roles Role
rbac.authorization.k8s.io/v1 rolebindings RoleBinding
rbac.authorization.k8s.io/v1 -clusterroles ClusterRole
rbac.authorization.k8s.io/v1 -clusterrolebindings ClusterRoleBinding
storage.k8s.io/v1 -storageclasses StorageClass sc
storage.k8s.io/v1 -csidrivers CSIDriver
storage.k8s.io/v1 -csinodes CSINode
storage.k8s.io/v1 csistoragecapacities CSIStorageCapacity
storage.k8s.io/v1 -volumeattachments VolumeAttachment +status
coordination.k8s.io/v1 leases Lease
discovery.k8s.io/v1 endpointslices EndpointSlice
scheduling.k8s.io/v1 -priorityclasses PriorityClass pc
node.k8s.io/v1 -runtimeclasses RuntimeClass
admissionregistration.k8s.io/v1 -validatingwebhookconfigurations ValidatingWebhookConfiguration
admissionregistration.k8s.io/v1 -mutatingwebhookconfigurations MutatingWebhookConfiguration
admissionregistration.k8s.io/v1 -validatingadmissionpolicies ValidatingAdmissionPolicy +status
admissionregistration.k8s.io/v1 -validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding
apiextensions.k8s.io/v1 -customresourcedefinitions CustomResourceDefinition crd,crds +status
apiregistration.k8s.io/v1 -apiservices APIService +status
flowcontrol.apiserver.k8s.io/v1 -flowschemas FlowSchema +status
flowcontrol.apiserver.k8s.io/v1 -prioritylevelconfigurations PriorityLevelConfiguration +status
certificates.k8s.io/v1 -certificatesigningrequests CertificateSigningRequest csr +status
`;

function parseLine(line: string): ResourceType {
  const [groupVersion = '', path = '', kind = '', ...rest] = line.split(' ');
  const slash = groupVersion.indexOf('/');
  const resource = path.replace(/^-/, '');
  const shortNames = rest.filter((word) => /^[a-z]/.test(word)).flatMap((word) => word.split(','));
  return {
    group: slash < 0 ? '' : groupVersion.slice(0, slash),
    version: slash < 0 ? groupVersion : groupVersion.slice(slash + 1),
    resource,
    singular: kind.toLowerCase(),
    kind,
    namespaced: !path.startsWith('-'),
    ...(shortNames.length > 0 && { shortNames }),
    ...(rest.includes('@all') && { categories: ['all'] }),
    subresources: rest.filter((word) => word.startsWith('+')).map((word) => word.slice(1) as Subresource),
  };
}

export const BUILT_IN_TYPES: readonly ResourceType[] = TABLE.trim().split('\n').map(parseLine);
