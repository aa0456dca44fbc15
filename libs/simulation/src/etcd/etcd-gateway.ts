import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EtcdRefusal, refusals } from './etcd-refusal.js';
import type { EtcdMachines } from './etcd-machines.js';
import type { SimulatedEtcd, SimulatedMember } from './simulated-etcd.js';

const QUOTA = 2_147_483_648;
const PAGE = 4_096;
const PART = 32_768;
const MAX_BODY = 4 * 1024 * 1024;

interface Asked {
  readonly etcd: SimulatedEtcd;
  readonly member: SimulatedMember;
}
type Json = Readonly<Record<string, unknown>>;
type Handler = (asked: Asked, body: Json) => Json;

/** The gRPC gateway of all simulated members: `http://127.0.0.1:PORT/<instance id>/v3/…`. A dead one resets connections. */
export class EtcdGateway {
  private readonly server: Server;

  constructor(private readonly machines: EtcdMachines) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    this.machines.gatewayUrl = url;
    return url;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, instanceId = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    try {
      const body = await bodyOf(request);
      const asked = this.machines.at(instanceId);
      if (!asked) return void request.socket.destroy();
      answer(asked, path, body, response);
    } catch (thrown) {
      if (!(thrown instanceof EtcdRefusal)) return void request.socket.destroy();
      const { message, code, status } = thrown;
      send(response, status, { error: message, code, message });
    }
  }
}

function answer(asked: Asked, path: string, body: string, response: ServerResponse): void {
  if (path === '/health') return send(response, ...healthOf(asked));
  if (path === '/metrics') return void response.end(metricsOf(asked));
  const handler = HANDLERS[path];
  if (path === '/v3/maintenance/snapshot') return sendSnapshot(asked, response);
  if (!handler) return void response.writeHead(404).end('Not Found\n');
  if (asked.member.learner && path !== '/v3/maintenance/status') throw refusals.forLearner();
  send(response, 200, handler(asked, JSON.parse(body || '{}') as Json));
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  '/v3/cluster/member/list': (asked, { linearizable }) => {
    if (linearizable !== false) asked.etcd.needQuorum();
    return membersOf(asked);
  },
  '/v3/cluster/member/add': (asked, { peerURLs, isLearner }) => {
    const added = asked.etcd.add((peerURLs as string[])[0] ?? '', isLearner === true);
    return { ...membersOf(asked), member: memberJson(added) };
  },
  '/v3/cluster/member/promote': (asked, { ID }) => {
    asked.etcd.promote(String(ID));
    return membersOf(asked);
  },
  '/v3/cluster/member/remove': (asked, { ID }) => {
    asked.etcd.remove(String(ID));
    return membersOf(asked);
  },
  '/v3/cluster/member/update': (asked, { ID, peerURLs }) => {
    asked.etcd.update(String(ID), (peerURLs as string[])[0] ?? '');
    return membersOf(asked);
  },
  '/v3/maintenance/status': statusOf,
  '/v3/maintenance/transfer-leadership': (asked, { targetID }) => {
    asked.etcd.moveLeader(asked.member, String(targetID));
    return { header: headerOf(asked) };
  },
  '/v3/maintenance/alarm': alarm,
  '/v3/maintenance/hash': (asked) => ({ header: headerOf(asked), hash: asked.etcd.hash() }),
  '/v3/maintenance/defragment': (asked) => ({ header: headerOf(asked) }),
  '/v3/kv/put': (asked, { key, value }) => {
    asked.etcd.put(decode(key), decode(value));
    return { header: headerOf(asked) };
  },
  // What counts keys; nothing here reads values.
  '/v3/kv/range': (asked, { serializable }) => {
    if (serializable !== true) asked.etcd.needQuorum();
    return { header: headerOf(asked), count: String(asked.etcd.keys.size) };
  },
};

const decode = (value: unknown): string => Buffer.from(String(value ?? ''), 'base64').toString();

const headerOf = ({ etcd, member }: Asked): Json => ({
  cluster_id: etcd.clusterId,
  member_id: member.id,
  revision: String(etcd.revision),
  raft_term: String(etcd.term),
});

/** As proto3 writes it: what has its zero value is left out. */
const memberJson = (member: SimulatedMember): Json => ({
  ID: member.id,
  ...(member.name !== '' && { name: member.name }),
  peerURLs: [member.peerUrl],
  ...(member.clientUrl !== '' && { clientURLs: [member.clientUrl] }),
  ...(member.learner && { isLearner: true }),
});

const membersOf = (asked: Asked): Json => ({
  header: headerOf(asked),
  members: asked.etcd.members.map(memberJson),
});

function statusOf(asked: Asked): Json {
  const { etcd, member } = asked;
  const leader = etcd.leaderSeenBy(member);
  const lag = etcd.lagOf(member);
  const alarms = etcd.alarms.map(({ memberId, kind }) => `memberID:${memberId} alarm:${kind}`);
  const errors = [...(leader === undefined ? ['etcdserver: no leader'] : []), ...alarms];
  return {
    header: headerOf(asked),
    version: '3.5.30',
    dbSize: String(etcd.sizeBytes),
    dbSizeInUse: String(etcd.sizeBytes),
    ...(leader !== undefined && { leader }),
    raftIndex: String(etcd.index - lag),
    raftAppliedIndex: String(etcd.index - lag),
    raftTerm: String(etcd.term),
    ...(member.learner && { isLearner: true }),
    ...(errors.length > 0 && { errors }),
  };
}

function alarm(asked: Asked, { action, memberID, alarm: kind }: Json): Json {
  const { etcd } = asked;
  etcd.needQuorum();
  const known = etcd.alarms.map((one) => ({ memberID: one.memberId, alarm: one.kind }));
  const named = (one: { readonly memberId: string; readonly kind: string }): boolean =>
    one.memberId === String(memberID) && one.kind === kind;
  if (action === 'ACTIVATE' && !etcd.alarms.some(named)) {
    etcd.alarms.push({ memberId: String(memberID), kind: String(kind) });
  }
  if (action !== 'DEACTIVATE') return { header: headerOf(asked), alarms: known };
  const at = etcd.alarms.findIndex(named);
  const [gone] = at < 0 ? [] : etcd.alarms.splice(at, 1);
  return { header: headerOf(asked), alarms: gone ? [{ memberID: gone.memberId, alarm: gone.kind }] : [] };
}

function healthOf({ etcd, member }: Asked): [number, Json] {
  const reason = etcd.alarms[0]
    ? `ALARM ${etcd.alarms[0].kind}`
    : etcd.leaderSeenBy(member) === undefined
      ? 'RAFT NO LEADER'
      : '';
  return [reason === '' ? 200 : 503, { health: String(reason === ''), reason }];
}

const metricsOf = ({ etcd, member }: Asked): string =>
  [
    `etcd_server_has_leader ${etcd.leaderSeenBy(member) === undefined ? 0 : 1}`,
    `etcd_server_leader_changes_seen_total ${etcd.term}`,
    'etcd_server_proposals_pending 0',
    `etcd_server_quota_backend_bytes ${QUOTA}`,
    `etcd_mvcc_db_total_size_in_bytes ${etcd.sizeBytes}`,
    `etcd_mvcc_db_total_size_in_use_in_bytes ${etcd.sizeBytes}`,
    `etcd_debugging_mvcc_keys_total ${etcd.keys.size}`,
    'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 1000',
    'etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 1000',
    'etcd_disk_backend_commit_duration_seconds_bucket{le="0.004"} 1000',
    'etcd_disk_backend_commit_duration_seconds_bucket{le="+Inf"} 1000',
    '',
  ].join('\n');

/** The shape of a snapshot: whole pages, then their SHA-256. What is in them no etcd could restore. */
function sendSnapshot({ etcd }: Asked, response: ServerResponse): void {
  const text = Buffer.from(JSON.stringify([etcd.revision, ...etcd.keys]));
  const pages = Math.max(5, Math.ceil(text.length / PAGE));
  const data = Buffer.concat([text], pages * PAGE);
  response.writeHead(200, { 'content-type': 'application/json' });
  for (let at = 0; at < data.length; at += PART) {
    const blob = data.subarray(at, at + PART).toString('base64');
    const remaining = Math.max(0, data.length - at - PART);
    const result = { ...(remaining > 0 && { remaining_bytes: String(remaining) }), blob };
    response.write(`${JSON.stringify({ result })}\n`);
  }
  const blob = createHash('sha256').update(data).digest('base64');
  response.end(`${JSON.stringify({ result: { blob } })}\n`);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new EtcdRefusal(3, 400, 'etcdserver: request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
