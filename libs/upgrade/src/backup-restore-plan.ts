import type { BackupMember, BackupRecord, Cluster } from '#fleet';
import { formatDuration, toIso, type Instant } from '#kernel';

interface RestoreStep {
  readonly title: string;
  /** Commands as they are typed; what a person must fill in stands in angle brackets. */
  readonly commands: readonly string[];
  readonly note?: string;
}

export interface RestorePlan {
  readonly summary: string;
  /** What is lost, and what else to know before beginning. */
  readonly warnings: readonly string[];
  readonly steps: readonly RestoreStep[];
}

export interface RestoreQuestion {
  readonly cluster: Pick<
    Cluster,
    'id' | 'alias' | 'localId' | 'infrastructureAccount' | 'apiServerUrl' | 'region'
  >;
  readonly backup: BackupRecord;
  readonly now: Instant;
}

/** The exact steps with which people bring one cluster back from one backup. Nothing of it is done by Fairway. */
export function restorePlan(question: RestoreQuestion): RestorePlan {
  const { cluster, backup, now } = question;
  const age = formatDuration(now - backup.startedAt);
  return {
    summary: `Restore ${cluster.alias} (${cluster.id}) from the ${backup.provider} backup ${backup.id} of ${toIso(backup.startedAt)} (${age} old, ${backup.items ?? '?'} ${backup.provider === 'etcd' ? 'keys' : 'objects'})`,
    warnings: warningsOf(backup, age),
    steps: [holdStep(cluster), ...stepsOf(question), ...lastSteps(cluster, backup)],
  };
}

function warningsOf(backup: BackupRecord, age: string): readonly string[] {
  return [
    `Everything that was written in the last ${age} is lost${backup.provider === 'etcd' ? '' : ' or stays as it is'}.`,
    ...(backup.state === 'good' ? [] : [`The backup is ${backup.state}: ${backup.message}`]),
    ...(backup.provider === 'etcd' && !backup.drill
      ? ['This snapshot was never restored for proof: run fairway backup verify --drill first.']
      : []),
  ];
}

function stepsOf({ cluster, backup }: RestoreQuestion): readonly RestoreStep[] {
  switch (backup.provider) {
    case 'etcd':
      return etcdSteps(cluster, backup);
    case 'velero':
      return veleroSteps(backup);
    case 'resources':
      return resourceSteps(cluster, backup);
  }
}

type Place = RestoreQuestion['cluster'];

const holdStep = ({ id }: Place): RestoreStep => ({
  title: 'Keep Fairway away while people work',
  commands: [`fairway hold cluster/${id} --reason "restore from backup"`],
});

const fetchStep = (
  { region }: Place,
  { location, sha256 = '' }: BackupRecord,
  file: string,
): RestoreStep => ({
  title: 'Fetch the stored file and check it',
  commands: [
    `aws s3 cp ${location} ${file} --region ${region}`,
    `echo "${sha256}  ${file}" | sha256sum --check`,
  ],
  note: 'Stop here if the digest differs: choose another backup.',
});

function etcdSteps(cluster: Place, backup: BackupRecord): readonly RestoreStep[] {
  const members = backup.members ?? [{ name: '<member>', peerUrl: '<https://member:2380>' }];
  return [
    fetchStep(cluster, backup, 'snapshot.db'),
    {
      title: 'Stop every API server, so that nobody writes',
      commands: ['mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/   # on every control plane node'],
      note: `etcd as a static pod: etcd.yaml as well, instead of systemctl. Workloads keep running. ${cluster.apiServerUrl} answers no more.`,
    },
    {
      title: `Stop etcd on all ${members.length} members and put the old data aside`,
      commands: [
        'systemctl stop etcd',
        'mv /var/lib/etcd /var/lib/etcd.before-restore   # keep it until the end',
      ],
    },
    ...members.map((member) => memberStep(member, members, backup)),
    {
      title: 'Start all members, within a few seconds of one another',
      commands: [
        'systemctl start etcd',
        'etcdctl endpoint status --cluster -w table',
        'etcdctl get "" --prefix --keys-only --limit=1 --write-out=fields | grep Count',
      ],
      note: `Revision ${backup.revision ?? '?'} or a little more, and one leader. ${backup.items ?? '?'} keys ("Count").`,
    },
    startStep(cluster),
  ];
}

/** Every member is restored from the same file, and told of all the others. */
const memberStep = (
  { name, peerUrl }: BackupMember,
  members: readonly BackupMember[],
  { id }: BackupRecord,
): RestoreStep => {
  const initial = members.map((member) => `${member.name}=${member.peerUrl}`).join(',');
  return {
    title: `Restore on member ${name} (copy snapshot.db there first)`,
    commands: [
      `etcdutl snapshot restore snapshot.db --data-dir /var/lib/etcd --name ${name} --initial-cluster ${initial} --initial-advertise-peer-urls ${peerUrl} --initial-cluster-token restore-${id.slice(0, 8)}`,
    ],
    note: 'etcd 3.4: ETCDCTL_API=3 etcdctl snapshot restore with the same flags. The data directory must belong to the user that etcd runs as.',
  };
};

const startStep = ({ apiServerUrl }: Place): RestoreStep => ({
  title: 'Start the API servers, then restart what caches: controller-manager, scheduler, kubelets',
  commands: [
    'mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/   # one control plane node after another',
    `curl -k ${apiServerUrl.replace(/\/$/, '')}/readyz`,
    'kubectl -n kube-system delete pod -l "component in (kube-controller-manager,kube-scheduler)"',
    'systemctl restart kubelet   # on every node',
  ],
  note: 'Watchers have seen a future that is gone: controllers that behave strangely need a restart.',
});

function veleroSteps({ location }: BackupRecord): readonly RestoreStep[] {
  const [, namespace = 'velero', name = ''] = /^velero:([^/]+)\/(.+)$/.exec(location) ?? [];
  return [
    {
      title: 'Look at what the backup holds',
      commands: [`velero -n ${namespace} backup describe ${name} --details`],
    },
    {
      title: 'Restore',
      commands: [
        `velero -n ${namespace} restore create ${name}-restore --from-backup ${name} --wait`,
        `velero -n ${namespace} restore describe ${name}-restore --details`,
      ],
      note: 'Objects that exist are left alone; --existing-resource-policy=update changes them.',
    },
  ];
}

function resourceSteps(cluster: Place, backup: BackupRecord): readonly RestoreStep[] {
  const encrypted = backup.location.endsWith('.enc');
  const file = encrypted ? 'resources.yaml.gz.enc' : 'resources.yaml.gz';
  const open: RestoreStep = {
    title: 'Decrypt: the first line holds the data key, which KMS opens',
    commands: [
      `head -1 ${file} | jq -r .key | base64 -d > key.bin; IV=$(head -1 ${file} | jq -r .iv)`,
      `KEY=$(aws kms decrypt --region ${cluster.region} --ciphertext-blob fileb://key.bin --query Plaintext --output text | base64 -d | xxd -p -c 64)`,
      `tail -c +$(( $(head -1 ${file} | wc -c) + 1 )) ${file} | openssl enc -d -aes-256-ctr -K "$KEY" -iv "$IV" > resources.yaml.gz`,
    ],
  };
  return [
    fetchStep(cluster, backup, file),
    ...(encrypted ? [open] : []),
    {
      title: 'Choose what to bring back, without what the server gives each object',
      commands: [
        'gunzip -k resources.yaml.gz',
        `yq 'select(.kind == "<kind>" and .metadata.namespace == "<namespace>") | del(.metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp, .metadata.generation, .status)' resources.yaml > chosen.yaml`,
      ],
      note: 'Leave out what controllers make themselves (Pods, ReplicaSets, Endpoints).',
    },
    {
      title: 'Apply it: definitions and namespaces come first in the file',
      commands: ['kubectl apply --server-side --force-conflicts -f chosen.yaml'],
    },
  ];
}

const lastSteps = ({ alias }: Place, { commit }: BackupRecord): readonly RestoreStep[] => [
  {
    title: 'See that the cluster is well, then give it back to Fairway',
    commands: [`fairway doctor ${alias}`, `fairway release <hold id>   # fairway holds shows it`],
    note: `Fairway brings it to its channel's revision again${commit === undefined ? '' : `; it ran ${commit.slice(0, 12)} when the backup was taken`}.`,
  },
];
