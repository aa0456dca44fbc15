export * from './time/scaled-scheduler.js';
export * from './time/scheduler.js';
export * from './time/seeded-random.js';
export * from './time/virtual-scheduler.js';
export * from './kubernetes/api/api-error.js';
export * from './kubernetes/api/admission.js';
export { ObjectStore, type ListOptions, type StoreOptions } from './kubernetes/api/store.js';
export type { StoreEvent } from './kubernetes/api/storage.js';
export type { Patch, RemoveOptions, WriteOptions } from './kubernetes/api/write-options.js';
export type { EvictionRequest, LogRequest, SubresourceHandlers } from './kubernetes/api/subresources.js';
export type {
  KubeObject,
  ManagedFieldsEntry,
  ObjectInput,
  ObjectMeta,
  OwnerReference,
} from './kubernetes/api/object.js';
export { resourceName, type ResourceType } from './kubernetes/api/resource-type.js';
export { canonicalQuantity, quantityValue } from './kubernetes/api/quantity.js';
export { KubernetesWire, type WireAddress } from './wire-kubernetes/kubernetes-wire.js';
export { LoopbackAuthority } from './wire-kubernetes/x509.js';
export { SimulatedCluster } from './wire-kubernetes/simulated-cluster.js';
export * from './wire-kubernetes/api-faults.js';
export * from './wire-kubernetes/call-log.js';
export { AwsError } from './aws/aws-error.js';
export * from './aws/aws-world.js';
export type { Activity, Group, GroupInstance } from './aws/auto-scaling-model.js';
export { CallLog as AwsCallLog, type CallQuery, type LoggedCall } from './aws/call-log.js';
export {
  defaultImages,
  instanceTypes,
  IMAGE_OWNER,
  type MachineImage,
  type InstanceType,
} from './aws/catalog.js';
export type { CallMatch as AwsCallMatch, CapacityFault, Faults, ResourceFault } from './aws/faults.js';
export type { AccessKey, Principal } from './aws/identity.js';
export type { Instance } from './aws/instances.js';
export type { IsServing, Machine, MachineListener } from './aws/machine.js';
export { RegionalAws } from './aws/region.js';
export type { Stack, StackEvent, StackResource } from './aws/cloudformation/stack.js';
export { defaultTimings, type AwsTimings } from './aws/timings.js';
export type { CloudEvent } from './aws/world-context.js';
export { AwsServer, type AwsServerOptions } from './wire-aws/aws-server.js';
export { createEstate, Estate, type EstateOptions } from './estate/estate.js';
export type { EstateEndpoints } from './estate/estate-wires.js';
export type { AutoscalerOptions } from './estate/cluster-autoscaler.js';
export {
  evidenceLines,
  type BudgetEvidence,
  type ClusterEvidence,
  type EvidenceReport,
  type PoolEvidence,
} from './estate/evidence-report.js';
export { LivingCluster, type LivingClusterOptions } from './estate/living-cluster.js';
export { Velero, type VeleroFate } from './kubernetes/controllers/velero.controller.js';
export { defaultClusterTimings, type ClusterTimings } from './estate/timings.js';
export type { ClusterView } from './kubernetes/controllers/cluster-view.js';
export type { Controller, ControllerContext } from './kubernetes/controllers/controller.js';
export { ImageRegistry, type ImageRegistryOptions } from './kubernetes/kubelet/image-registry.js';
export {
  ANNOTATIONS as SIMULATION_ANNOTATIONS,
  type ContainerProcess,
  type ContainerProgram,
} from './kubernetes/kubelet/container-program.js';
export {
  conformanceProgram,
  type ConformanceBehaviour,
} from './kubernetes/kubelet/conformance/conformance-program.js';
export { defaultKubeletTimings, type KubeletTimings } from './kubernetes/kubelet/kubelet-services.js';
export * from './git-server/index.js';
