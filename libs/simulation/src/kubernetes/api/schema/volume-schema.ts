/** Volumes and claims. Notation: see schema.ts. */
export const VOLUME_SCHEMA = `
PersistentVolume = spec:PersistentVolumeSpec status:PersistentVolumeStatus
PersistentVolumeClaim = spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus
PersistentVolumeSpec = accessModes:[]string awsElasticBlockStore:AWSElasticBlockStoreVolumeSource
   azureDisk:AzureDiskVolumeSource azureFile:AzureFilePersistentVolumeSource capacity:{}quantity
   cephfs:CephFSPersistentVolumeSource cinder:CinderPersistentVolumeSource claimRef:+ObjectReference
   csi:CSIPersistentVolumeSource fc:FCVolumeSource flexVolume:FlexPersistentVolumeSource
   flocker:FlockerVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource
   glusterfs:GlusterfsPersistentVolumeSource hostPath:HostPathVolumeSource iscsi:ISCSIPersistentVolumeSource
   local:LocalVolumeSource mountOptions:[]string nfs:NFSVolumeSource nodeAffinity:VolumeNodeAffinity
   persistentVolumeReclaimPolicy photonPersistentDisk:PhotonPersistentDiskVolumeSource
   portworxVolume:PortworxVolumeSource quobyte:QuobyteVolumeSource rbd:RBDPersistentVolumeSource
   scaleIO:ScaleIOPersistentVolumeSource storageClassName storageos:StorageOSPersistentVolumeSource
   volumeAttributesClassName volumeMode vsphereVolume:VsphereVirtualDiskVolumeSource
PersistentVolumeStatus = lastPhaseTransitionTime:time message phase reason
PersistentVolumeClaimSpec = accessModes:[]string dataSource:TypedLocalObjectReference
   dataSourceRef:TypedObjectReference resources:VolumeResourceRequirements selector:LabelSelector
   storageClassName volumeAttributesClassName volumeMode volumeName
PersistentVolumeClaimStatus = accessModes:[]string allocatedResourceStatuses:{}string
   allocatedResources:{}quantity capacity:{}quantity conditions:[type]PersistentVolumeClaimCondition
   currentVolumeAttributesClassName modifyVolumeStatus:ModifyVolumeStatus phase
Volume = awsElasticBlockStore:AWSElasticBlockStoreVolumeSource azureDisk:AzureDiskVolumeSource
   azureFile:AzureFileVolumeSource cephfs:CephFSVolumeSource cinder:CinderVolumeSource
   configMap:ConfigMapVolumeSource csi:CSIVolumeSource downwardAPI:DownwardAPIVolumeSource
   emptyDir:EmptyDirVolumeSource ephemeral:EphemeralVolumeSource fc:FCVolumeSource
   flexVolume:FlexVolumeSource flocker:FlockerVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource
   gitRepo:GitRepoVolumeSource glusterfs:GlusterfsVolumeSource hostPath:HostPathVolumeSource
   image:ImageVolumeSource iscsi:ISCSIVolumeSource name! nfs:NFSVolumeSource
   persistentVolumeClaim:PersistentVolumeClaimVolumeSource
   photonPersistentDisk:PhotonPersistentDiskVolumeSource portworxVolume:PortworxVolumeSource
   projected:ProjectedVolumeSource quobyte:QuobyteVolumeSource rbd:RBDVolumeSource
   scaleIO:ScaleIOVolumeSource secret:SecretVolumeSource storageos:StorageOSVolumeSource
   vsphereVolume:VsphereVirtualDiskVolumeSource
AWSElasticBlockStoreVolumeSource = fsType partition:int readOnly:bool volumeID!
AzureDiskVolumeSource = cachingMode diskName! diskURI! fsType kind readOnly:bool
AzureFilePersistentVolumeSource = readOnly:bool secretName! secretNamespace shareName!
CephFSPersistentVolumeSource = monitors!:[]string path readOnly:bool secretFile secretRef:SecretReference
   user
CinderPersistentVolumeSource = fsType readOnly:bool secretRef:SecretReference volumeID!
CSIPersistentVolumeSource = controllerExpandSecretRef:SecretReference
   controllerPublishSecretRef:SecretReference driver! fsType nodeExpandSecretRef:SecretReference
   nodePublishSecretRef:SecretReference nodeStageSecretRef:SecretReference readOnly:bool
   volumeAttributes:{}string volumeHandle!
FCVolumeSource = fsType lun:int readOnly:bool targetWWNs:[]string wwids:[]string
FlexPersistentVolumeSource = driver! fsType options:{}string readOnly:bool secretRef:SecretReference
FlockerVolumeSource = datasetName datasetUUID
GCEPersistentDiskVolumeSource = fsType partition:int pdName! readOnly:bool
GlusterfsPersistentVolumeSource = endpoints! endpointsNamespace path! readOnly:bool
HostPathVolumeSource = path! type
ISCSIPersistentVolumeSource = chapAuthDiscovery:bool chapAuthSession:bool fsType initiatorName iqn!
   iscsiInterface lun!:int portals:[]string readOnly:bool secretRef:SecretReference targetPortal!
LocalVolumeSource = fsType path!
NFSVolumeSource = path! readOnly:bool server!
VolumeNodeAffinity = required:NodeSelector
PhotonPersistentDiskVolumeSource = fsType pdID!
PortworxVolumeSource = fsType readOnly:bool volumeID!
QuobyteVolumeSource = group readOnly:bool registry! tenant user volume!
RBDPersistentVolumeSource = fsType image! keyring monitors!:[]string pool readOnly:bool
   secretRef:SecretReference user
ScaleIOPersistentVolumeSource = fsType gateway! protectionDomain readOnly:bool secretRef!:SecretReference
   sslEnabled:bool storageMode storagePool system! volumeName
StorageOSPersistentVolumeSource = fsType readOnly:bool secretRef:ObjectReference volumeName volumeNamespace
VsphereVirtualDiskVolumeSource = fsType storagePolicyID storagePolicyName volumePath!
VolumeResourceRequirements = limits:{}quantity requests:{}quantity
PersistentVolumeClaimCondition = lastProbeTime:time lastTransitionTime:time message reason status! type!
VolumeDevice = devicePath! name!
VolumeMount = mountPath! mountPropagation name! readOnly:bool recursiveReadOnly subPath subPathExpr
AzureFileVolumeSource = readOnly:bool secretName! shareName!
CephFSVolumeSource = monitors!:[]string path readOnly:bool secretFile secretRef:LocalObjectReference user
CinderVolumeSource = fsType readOnly:bool secretRef:LocalObjectReference volumeID!
ConfigMapVolumeSource = defaultMode:int items:[]KeyToPath name optional:bool
CSIVolumeSource = driver! fsType nodePublishSecretRef:LocalObjectReference readOnly:bool
   volumeAttributes:{}string
DownwardAPIVolumeSource = defaultMode:int items:[]DownwardAPIVolumeFile
EmptyDirVolumeSource = medium sizeLimit:quantity
EphemeralVolumeSource = volumeClaimTemplate:PersistentVolumeClaimTemplate
FlexVolumeSource = driver! fsType options:{}string readOnly:bool secretRef:LocalObjectReference
GitRepoVolumeSource = directory repository! revision
GlusterfsVolumeSource = endpoints! path! readOnly:bool
ImageVolumeSource = pullPolicy reference
ISCSIVolumeSource = chapAuthDiscovery:bool chapAuthSession:bool fsType initiatorName iqn! iscsiInterface
   lun!:int portals:[]string readOnly:bool secretRef:LocalObjectReference targetPortal!
PersistentVolumeClaimVolumeSource = claimName! readOnly:bool
ProjectedVolumeSource = defaultMode:int sources:[]VolumeProjection
RBDVolumeSource = fsType image! keyring monitors!:[]string pool readOnly:bool secretRef:LocalObjectReference
   user
ScaleIOVolumeSource = fsType gateway! protectionDomain readOnly:bool secretRef!:LocalObjectReference
   sslEnabled:bool storageMode storagePool system! volumeName
SecretVolumeSource = defaultMode:int items:[]KeyToPath optional:bool secretName
StorageOSVolumeSource = fsType readOnly:bool secretRef:LocalObjectReference volumeName volumeNamespace
VolumeMountStatus = mountPath! name! readOnly:bool recursiveReadOnly
SecretReference~ = name namespace
KeyToPath = key! mode:int path!
DownwardAPIVolumeFile = fieldRef:ObjectFieldSelector mode:int path! resourceFieldRef:ResourceFieldSelector
PersistentVolumeClaimTemplate = metadata:ObjectMeta spec!:PersistentVolumeClaimSpec
VolumeProjection = clusterTrustBundle:ClusterTrustBundleProjection configMap:ConfigMapProjection
   downwardAPI:DownwardAPIProjection podCertificate:PodCertificateProjection secret:SecretProjection
   serviceAccountToken:ServiceAccountTokenProjection
ClusterTrustBundleProjection = labelSelector:LabelSelector name optional:bool path! signerName
ConfigMapProjection = items:[]KeyToPath name optional:bool
DownwardAPIProjection = items:[]DownwardAPIVolumeFile
PodCertificateProjection = certificateChainPath credentialBundlePath keyPath keyType!
   maxExpirationSeconds:int signerName!
SecretProjection = items:[]KeyToPath name optional:bool
ServiceAccountTokenProjection = audience expirationSeconds:int path!
`;
