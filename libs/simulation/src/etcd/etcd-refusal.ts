/** What a real etcd says, with its gRPC code and the HTTP status that the gateway makes of it. */
export class EtcdRefusal extends Error {
  override readonly name = 'EtcdRefusal';
  constructor(
    readonly code: number,
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const notFound = (words: string): EtcdRefusal => new EtcdRefusal(5, 404, `etcdserver: ${words}`);
const precondition = (words: string): EtcdRefusal => new EtcdRefusal(9, 400, `etcdserver: ${words}`);
const unavailable = (words: string): EtcdRefusal => new EtcdRefusal(14, 503, `etcdserver: ${words}`);

/** Sentences of etcd 3.5, api/v3rpc/rpctypes/error.go. */
export const refusals = {
  memberNotFound: (): EtcdRefusal => notFound('member not found'),
  memberExists: (): EtcdRefusal => precondition('member ID already exist'),
  peerUrlExists: (): EtcdRefusal => precondition('Peer URLs already exists'),
  notLearner: (): EtcdRefusal => precondition('can only promote a learner member'),
  notInSync: (): EtcdRefusal =>
    precondition('can only promote a learner member which is in sync with leader'),
  tooManyLearners: (): EtcdRefusal => precondition('too many learner members in cluster'),
  notLeader: (): EtcdRefusal => precondition('not leader'),
  badTransferee: (): EtcdRefusal => precondition('bad leader transferee'),
  noSpace: (): EtcdRefusal => new EtcdRefusal(8, 429, 'etcdserver: mvcc: database space exceeded'),
  unhealthy: (): EtcdRefusal => unavailable('unhealthy cluster'),
  timedOut: (): EtcdRefusal => unavailable('request timed out'),
  forLearner: (): EtcdRefusal => unavailable('rpc not supported for learner'),
};
