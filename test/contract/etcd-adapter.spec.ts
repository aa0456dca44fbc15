import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import { createEtcdAccess } from '#adapters/etcd';
import { EtcdTestCluster, findEtcd, freePort } from '../support/etcd-server.js';
import { suiteNotRun } from '../support/suite-not-run.js';
import { etcdContract, type EtcdContractSubject } from './etcd.contract.js';

const SUITE = 'contract of real etcd';

if (findEtcd() === undefined) suiteNotRun(SUITE, 'there is no etcd; install etcd-server');
else
  describe(SUITE, () => {
    let cluster: EtcdTestCluster;
    let subject: EtcdContractSubject;

    beforeAll(async () => {
      cluster = await EtcdTestCluster.start({ members: 3, tls: true });
      const port = await cluster.connect();
      subject = {
        port,
        idlePeerUrl: `https://127.0.0.1:${await freePort()}`,
        put: (key, value) => cluster.put(key, value),
        kill: async (endpoint) => cluster.members.find(({ clientUrl }) => clientUrl === endpoint)?.kill(),
      };
    });
    afterAll(() => cluster.close());

    etcdContract('etcd with client certificates', () => subject);
  });

if (findEtcd() !== undefined)
  describe('real etcd in trouble', () => {
    let cluster: EtcdTestCluster | undefined;
    afterAll(() => cluster?.close());

    it('is not trusted, and does not trust, without the right certificates', async () => {
      cluster = await EtcdTestCluster.start({ members: 1, tls: true });
      const [endpoint = ''] = cluster.endpoints;
      const stranger = await EtcdTestCluster.credentialsOfSomebodyElse();
      const access = createEtcdAccess({ credentialsDirectory: stranger.directory });
      const port = await access.connect({ clusterId: stranger.clusterId, endpoints: [endpoint] });
      const failure = await port.members().catch((thrown: unknown) => (thrown as FailureError).failure);
      expect(failure).toMatchObject({ class: 'denied', code: 'etcd-tls-untrusted' });
      const plain = await access.connect({
        clusterId: stranger.clusterId,
        endpoints: [endpoint.replace('https:', 'http:')],
      });
      await expect(plain.members()).rejects.toThrow(/etcd-/);
      const nobody = access.connect({ clusterId: 'aws:1:eu-central-1:nobody', endpoints: [endpoint] });
      await expect(nobody).rejects.toMatchObject({
        failure: { class: 'denied', code: 'etcd-credentials-missing' },
      });
      access.close();
      await stranger.remove();
      await cluster.close();
    });

    it('is full: the alarm is told, writes are refused, and it is cured', async () => {
      cluster = await EtcdTestCluster.start({ members: 1, flags: ['--quota-backend-bytes', '4194304'] });
      const port = await cluster.connect();
      const value = 'x'.repeat(700_000);
      const written = cluster;
      const fill = async (): Promise<void> => {
        for (let n = 0; n < 20; n += 1) await written.put('contract/full', value);
      };
      await expect(fill()).rejects.toThrow(/database space exceeded/);
      const alarms = await port.alarms();
      expect(alarms).toEqual([{ memberId: expect.any(String), kind: 'NOSPACE' }]);
      expect(await port.health(cluster.endpoints[0] ?? '')).toMatchObject({ healthy: false });
      const { revision } = await port.countKeys();
      await cluster.compact(revision);
      await port.defragment(cluster.endpoints[0] ?? '');
      expect(await port.disarm()).toEqual(alarms);
      expect(await port.alarms()).toEqual([]);
      await cluster.put('contract/full', 'small');
    });
  });
