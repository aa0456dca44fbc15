import { createHash, randomBytes } from 'node:crypto';
import type { EtcdAccess, EtcdPort } from '#ports';

/**
 * An etcd that only has a snapshot to give: whole, with its digest at the end, as many bytes as wanted. With `cutOff` there is
 * one follower more, which says it is well and hears nothing of its leader.
 */
export function paperEtcd(bytes: number, cutOff?: string): EtcdAccess {
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
    endpoints: [...(cutOff === undefined ? [] : [cutOff]), endpoint],
    alarms: async () => [],
    status: async (asked) =>
      asked === cutOff ? { ...status, endpoint: asked, memberId: '2', revision: '5' } : status,
    countKeys: async ({ endpoint: asked, linearizable } = {}) => {
      if (asked === cutOff && asked !== undefined && linearizable === true) throw new Error('timed out');
      return { keys: 3, revision: asked === cutOff && asked !== undefined ? '5' : '7' };
    },
    members: async () => ({ clusterId: '1', members: [member] }),
    snapshot: async () => ({ endpoint, chunks: chunks() }),
  };
  return { connect: async () => port as EtcdPort };
}
