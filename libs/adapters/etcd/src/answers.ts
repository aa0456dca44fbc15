import { fail } from '#kernel';
import type { EtcdAlarm, EtcdHashKv, EtcdMember, EtcdStatus } from '#ports';

/** JSON of the gateway: proto3, so what has its zero value is left out, and 64 bit numbers are text. */
export type Json = Readonly<Record<string, unknown>>;

export function parseJson(action: string, body: string): Json {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Told below, without the text: it may be anything.
  }
  return fail({
    class: 'terminal',
    code: 'etcd-bad-answer',
    message: `${action}: the answer is not a JSON object (${body.length} bytes)`,
    hint: 'Something else than etcd answers at this endpoint.',
  });
}

/** Decimal text; absent and null are zero. */
export function integer(value: unknown): string {
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return value;
  if (typeof value === 'number' && Number.isInteger(value)) return String(value);
  return '0';
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
export const objects = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter((one): one is Json => typeof one === 'object' && one !== null) : [];
const header = (answer: Json): Json => (answer['header'] ?? {}) as Json;

export const clusterIdOf = (answer: Json): string => integer(header(answer)['cluster_id']);
export const revisionOf = (answer: Json): string => integer(header(answer)['revision']);

export const memberOf = (json: Json): EtcdMember => ({
  id: integer(json['ID']),
  name: text(json['name']),
  peerUrls: texts(json['peerURLs']),
  clientUrls: texts(json['clientURLs']),
  learner: json['isLearner'] === true,
});

export function statusOf(endpoint: string, answer: Json): EtcdStatus {
  const leader = integer(answer['leader']);
  const size = Number(integer(answer['dbSize']));
  return {
    endpoint,
    clusterId: clusterIdOf(answer),
    memberId: integer(header(answer)['member_id']),
    version: text(answer['version']),
    dbSizeBytes: size,
    dbSizeInUseBytes: Number(integer(answer['dbSizeInUse'])),
    ...(leader !== '0' && { leaderId: leader }),
    learner: answer['isLearner'] === true,
    revision: revisionOf(answer),
    raftIndex: integer(answer['raftIndex']),
    raftAppliedIndex: integer(answer['raftAppliedIndex']),
    raftTerm: integer(answer['raftTerm']),
    errors: texts(answer['errors']),
  };
}

export const alarmsOf = (answer: Json): readonly EtcdAlarm[] =>
  objects(answer['alarms']).map((alarm) => ({
    memberId: integer(alarm['memberID']),
    // The zero value of the enumeration, NONE, is left out.
    kind: text(alarm['alarm']) || 'NONE',
  }));

export const hashOf = (endpoint: string, answer: Json): EtcdHashKv => ({
  endpoint,
  memberId: integer(header(answer)['member_id']),
  hash: Number(integer(answer['hash'])),
  compactRevision: integer(answer['compact_revision']),
  revision: integer(answer['hash_revision']) === '0' ? revisionOf(answer) : integer(answer['hash_revision']),
});
