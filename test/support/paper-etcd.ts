import { createHash, randomBytes } from 'node:crypto';
import type { EtcdAccess, EtcdPort } from '#ports';

/** An etcd that only has a snapshot to give: whole, with its digest at the end, as many bytes as wanted. */
export function paperEtcd(bytes: number): EtcdAccess {
  const data = randomBytes(Math.ceil(bytes / 512) * 512);
  const digest = createHash('sha256').update(data).digest();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < data.length; at += 65_536) yield data.subarray(at, at + 65_536);
    yield digest;
  }
  const endpoint = 'http://paper:2379';
  const status = {
    endpoint,
    clusterId: '1',
    memberId: '1',
    version: '3.5.0',
    dbSizeBytes: bytes,
    dbSizeInUseBytes: bytes,
    leaderId: '1',
    learner: false,
    revision: '7',
    raftIndex: '1',
    raftAppliedIndex: '1',
    raftTerm: '1',
    errors: [],
  };
  const member = {
    id: '1',
    name: 'm1',
    peerUrls: ['http://paper:2380'],
    clientUrls: [endpoint],
    learner: false,
  };
  const port: Partial<EtcdPort> = {
    endpoints: [endpoint],
    alarms: async () => [],
    status: async () => status,
    countKeys: async () => ({ keys: 3, revision: '7' }),
    members: async () => ({ clusterId: '1', members: [member] }),
    snapshot: async () => ({ endpoint, chunks: chunks() }),
  };
  return { connect: async () => port as EtcdPort };
}
