import { afterAll, beforeAll, describe } from 'vitest';
import { createEtcdAccess } from '#adapters/etcd';
import { createEstate, ScaledScheduler, type Estate } from '#simulation';
import { eventually } from '../support/eventually.js';
import { etcdContract, type EtcdContractSubject } from './etcd.contract.js';

const ACCOUNT = '111111111111';
const REGION = 'eu-central-1';

describe('contract of simulated etcd', () => {
  let estate: Estate;
  let access: ReturnType<typeof createEtcdAccess>;
  let subject: EtcdContractSubject;

  beforeAll(async () => {
    estate = createEstate({ seed: 7, scheduler: new ScaledScheduler(200), accounts: [{ id: ACCOUNT }] });
    const { etcdUrl } = await estate.start();
    access = createEtcdAccess({ credentialsDirectory: '/nonexistent' });
    const aws = estate.aws.region(ACCOUNT, REGION);
    const data = { ImageId: 'ami-0a1310000000000a1', InstanceType: 'm5.large' };
    const { id } = aws.launchTemplates.create('etcd', data, {});
    const subnetIds = aws.network.subnets.filter(({ role }) => role === 'nodes').map((subnet) => subnet.id);
    aws.autoScaling.create(
      'etcd',
      { minSize: 3, maxSize: 3, desiredCapacity: 3, launchTemplate: { id, version: '1' }, subnetIds },
      [{ key: 'component', value: 'etcd-cluster', propagate: true }],
    );
    const etcd = await eventually(
      () => estate.etcd.clusters().find(({ members }) => members.length === 3),
      'three members',
    );
    const endpoints = etcd.members.map(({ name }) => etcdUrl.replace('{instance}', name));
    subject = {
      port: await access.connect({ clusterId: 'simulated', endpoints }),
      idlePeerUrl: 'http://10.0.200.200:2380',
      put: async (key, value) => etcd.put(key, value),
      kill: async (endpoint) => aws.instances.kill(endpoint.split('/').at(-1) ?? ''),
    };
  });
  afterAll(async () => {
    access.close();
    await estate.close();
  });

  etcdContract('the gateway of the estate', () => subject);
});
