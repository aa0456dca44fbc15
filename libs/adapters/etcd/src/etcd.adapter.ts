import { fail, FailureError, minutes, type Duration } from '#kernel';
import type {
  EtcdAlarm,
  EtcdHashKv,
  EtcdHealth,
  EtcdId,
  EtcdKeyCount,
  EtcdMember,
  EtcdMembership,
  EtcdMetrics,
  EtcdPort,
  EtcdSnapshot,
  EtcdStatus,
} from '#ports';
import {
  alarmsOf,
  clusterIdOf,
  hashOf,
  integer,
  memberOf,
  objects,
  parseJson,
  revisionOf,
  statusOf,
  type Json,
} from './answers.js';
import { classifyAnswer, classifyThrown, surelyNotDone } from './classify.js';
import { metricsOf } from './metrics-text.js';
import { snapshotBytes } from './snapshot-stream.js';
import { collect, type Transport } from './transport.js';

/** Blocks the member for as long as it takes to rewrite the file: gigabytes take a minute. */
const DEFRAGMENT_TIMEOUT = minutes(10);
const MAX_ERROR_BYTES = 64 * 1024;
/** All keys: from the smallest one without an end. */
const ALL_KEYS = { key: 'AA==', range_end: 'AA==' };

/** One call towards one endpoint. */
interface Call {
  readonly action: string;
  readonly path: string;
  readonly body: Json;
  readonly write?: boolean;
  readonly timeout?: Duration;
}

/** The gRPC gateway of etcd 3.4 and newer; see {@link EtcdPort}. */
export class EtcdAdapter implements EtcdPort {
  /** The endpoint that answered last is asked first: a dead one costs its time limit once only. */
  #first = 0;

  constructor(
    readonly endpoints: readonly string[],
    private readonly transport: Transport,
  ) {}

  async members(options: { readonly linearizable?: boolean } = {}): Promise<EtcdMembership> {
    const body = options.linearizable === false ? { linearizable: false } : { linearizable: true };
    return membershipOf(await this.#any({ action: 'list members', path: '/v3/cluster/member/list', body }));
  }

  async addMember(member: {
    readonly peerUrls: readonly string[];
    readonly learner: boolean;
  }): Promise<EtcdMember> {
    const body = { peerURLs: member.peerUrls, isLearner: member.learner };
    const action = `add member ${member.peerUrls.join(', ')}`;
    const answer = await this.#any({ action, path: '/v3/cluster/member/add', body, write: true });
    return memberOf((answer['member'] ?? {}) as Json);
  }

  promoteMember(id: EtcdId): Promise<EtcdMembership> {
    return this.#change('promote', id, {});
  }

  removeMember(id: EtcdId): Promise<EtcdMembership> {
    return this.#change('remove', id, {});
  }

  updateMember(id: EtcdId, peerUrls: readonly string[]): Promise<EtcdMembership> {
    return this.#change('update', id, { peerURLs: peerUrls });
  }

  async status(endpoint: string): Promise<EtcdStatus> {
    const call = { action: 'status', path: '/v3/maintenance/status', body: {} };
    return statusOf(endpoint, await this.#ask(endpoint, call));
  }

  async health(endpoint: string): Promise<EtcdHealth> {
    try {
      const { status, body } = await this.transport.send(endpoint, { method: 'GET', path: '/health' });
      const { health, reason } = healthOf(body);
      if (status === 200 && health) return { endpoint, healthy: true };
      return { endpoint, healthy: false, reason: reason || `HTTP ${status}` };
    } catch (thrown) {
      return { endpoint, healthy: false, reason: classifyThrown(`health of ${endpoint}`, thrown).message };
    }
  }

  async metrics(endpoint: string): Promise<EtcdMetrics> {
    const action = `metrics of ${endpoint}`;
    try {
      const { status, body } = await this.transport.send(endpoint, { method: 'GET', path: '/metrics' });
      if (status !== 200) throw new FailureError(classifyAnswer(action, status, body));
      return metricsOf(endpoint, body);
    } catch (thrown) {
      throw failureError(action, thrown);
    }
  }

  async moveLeader(from: { readonly endpoint: string }, to: EtcdId): Promise<void> {
    await this.#ask(from.endpoint, {
      action: `move leadership to ${hex(to)}`,
      path: '/v3/maintenance/transfer-leadership',
      body: { targetID: to },
    });
  }

  async alarms(): Promise<readonly EtcdAlarm[]> {
    return alarmsOf(await this.#alarm('list alarms', { action: 'GET' }, false));
  }

  async disarm(alarm?: EtcdAlarm): Promise<readonly EtcdAlarm[]> {
    const known = alarm === undefined ? await this.alarms() : [alarm];
    const disarmed: EtcdAlarm[] = [];
    for (const { memberId, kind } of known) {
      const body = { action: 'DEACTIVATE', memberID: memberId, alarm: kind };
      disarmed.push(...alarmsOf(await this.#alarm(`disarm ${kind}`, body, true)));
    }
    return disarmed;
  }

  async hashKv(endpoint: string, revision?: EtcdId): Promise<EtcdHashKv> {
    // The gateway serves HashKV here; the Hash of the whole file has no place in it (3.4 to 3.6).
    const body = revision === undefined ? {} : { revision };
    return hashOf(
      endpoint,
      await this.#ask(endpoint, { action: 'hash', path: '/v3/maintenance/hash', body }),
    );
  }

  async defragment(endpoint: string): Promise<void> {
    await this.#ask(endpoint, {
      action: 'defragment',
      path: '/v3/maintenance/defragment',
      body: {},
      timeout: DEFRAGMENT_TIMEOUT,
    });
  }

  async snapshot(options: { readonly endpoint?: string } = {}): Promise<EtcdSnapshot> {
    const endpoint = options.endpoint ?? (await this.#answering());
    const action = `snapshot of ${endpoint}`;
    try {
      const request = { method: 'POST', path: '/v3/maintenance/snapshot', body: '{}' } as const;
      const response = await this.transport.open(endpoint, request);
      if (response.statusCode !== 200) {
        const { status, body } = await collect(response, MAX_ERROR_BYTES);
        throw new FailureError(classifyAnswer(action, status, body));
      }
      return { endpoint, chunks: snapshotBytes(response as AsyncIterable<Buffer>) };
    } catch (thrown) {
      throw failureError(action, thrown);
    }
  }

  async countKeys(
    options: { readonly endpoint?: string; readonly revision?: EtcdId; readonly linearizable?: boolean } = {},
  ): Promise<EtcdKeyCount> {
    const { endpoint, revision, linearizable = endpoint === undefined } = options;
    const call = {
      action: 'count keys',
      path: '/v3/kv/range',
      body: {
        ...ALL_KEYS,
        count_only: true,
        serializable: !linearizable,
        ...(revision !== undefined && { revision }),
      },
    };
    const answer = await (endpoint === undefined ? this.#any(call) : this.#ask(endpoint, call));
    return { keys: Number(integer(answer['count'])), revision: revisionOf(answer) };
  }

  withEndpoints(endpoints: readonly string[]): EtcdPort {
    return new EtcdAdapter(endpoints, this.transport);
  }

  close(): void {
    this.transport.close();
  }

  async #change(verb: 'promote' | 'remove' | 'update', id: EtcdId, more: Json): Promise<EtcdMembership> {
    const action = `${verb} member ${hex(id)}`;
    return membershipOf(
      await this.#any({ action, path: `/v3/cluster/member/${verb}`, body: { ID: id, ...more }, write: true }),
    );
  }

  #alarm(action: string, body: Json, write: boolean): Promise<Json> {
    return this.#any({ action, path: '/v3/maintenance/alarm', body, write });
  }

  async #answering(): Promise<string> {
    for (const endpoint of this.#inTurn()) if ((await this.health(endpoint)).healthy) return endpoint;
    return fail({
      class: 'transient',
      code: 'etcd-unreachable',
      message: `none of ${this.endpoints.join(', ')} is healthy`,
    });
  }

  #inTurn(): readonly string[] {
    return [...this.endpoints.slice(this.#first), ...this.endpoints.slice(0, this.#first)];
  }

  /** Asks one endpoint after another; a write goes on only where the one before surely did not take it. */
  async #any(call: Call): Promise<Json> {
    let last: unknown;
    for (const endpoint of this.#inTurn()) {
      try {
        const answer = await this.#ask(endpoint, call);
        this.#first = this.endpoints.indexOf(endpoint);
        return answer;
      } catch (thrown) {
        last = thrown;
        if (!mayAskNext(thrown, call.write === true)) throw thrown;
      }
    }
    throw last ?? failureError(call.action, new Error('no endpoint is known'));
  }

  async #ask(endpoint: string, call: Call): Promise<Json> {
    const action = `${call.action} (${endpoint})`;
    try {
      const { status, body } = await this.transport.send(endpoint, {
        method: 'POST',
        path: call.path,
        body: JSON.stringify(call.body),
        ...(call.timeout !== undefined && { timeout: call.timeout }),
      });
      if (status !== 200) throw new FailureError(classifyAnswer(action, status, body));
      return parseJson(action, body);
    } catch (thrown) {
      throw failureError(action, thrown);
    }
  }
}

/** Ids as etcdctl and etcd's log write them. */
const hex = (id: EtcdId): string => BigInt(id).toString(16);

const failureError = (action: string, thrown: unknown): FailureError =>
  thrown instanceof FailureError
    ? thrown
    : new FailureError(classifyThrown(action, thrown), { cause: thrown });

/** Another endpoint may know better where this one was away, lost its leader, or does not trust or know us. */
function mayAskNext(thrown: unknown, write: boolean): boolean {
  if (!(thrown instanceof FailureError)) return false;
  const { failure } = thrown;
  if (surelyNotDone(failure, thrown.cause)) return true;
  return !write && (failure.class === 'transient' || failure.class === 'throttled');
}

const membershipOf = (answer: Json): EtcdMembership => ({
  clusterId: clusterIdOf(answer),
  members: objects(answer['members'])
    .map(memberOf)
    .sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1)),
});

/** 3.4 says `{"health":"true"}`, 3.5 adds a reason. */
function healthOf(body: string): { readonly health: boolean; readonly reason: string } {
  try {
    const { health, reason } = JSON.parse(body) as { health?: unknown; reason?: unknown };
    return { health: health === 'true' || health === true, reason: typeof reason === 'string' ? reason : '' };
  } catch {
    return { health: false, reason: '' };
  }
}
