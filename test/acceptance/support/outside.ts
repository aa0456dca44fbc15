import type { Estate } from '#simulation';
import { withClient } from '../../support/database.js';

/** What the estate's own records say was done to it. */
export class Outside {
  private readonly launched: string[] = [];
  private readonly evened: string[] = [];
  private readonly jobs: string[] = [];
  private readonly machines: string[] = [];
  private readonly watched = new Set<string>();
  private readonly stop: () => void;

  constructor(private readonly estate: Estate) {
    this.stop = estate.aws.onCloudEvent((event) => {
      if (event.kind.startsWith('instance-'))
        this.machines.push(`${event.kind} ${event.subject} ${event.detail}`);
      if (event.kind === 'instance-launched') this.launched.push(event.subject);
      if (event.kind === 'instance-terminating' && REBALANCED.test(event.detail))
        this.evened.push(event.subject);
    });
  }

  close(): void {
    this.stop();
  }

  /** Begins to count the Jobs that appear in a cluster. */
  watchJobs(clusterId: string): void {
    if (this.watched.has(clusterId)) return;
    this.watched.add(clusterId);
    this.estate.cluster(clusterId).view.on('jobs.batch', ({ type, object }) => {
      if (type === 'ADDED') this.jobs.push(`${object.metadata.namespace}/${object.metadata.name}`);
    });
  }

  /** Instance ids in the order of their launch. */
  get launches(): readonly string[] {
    return this.launched;
  }

  /** Instances that a group ended by itself, to return to its capacity after it had evened out its zones. */
  get rebalanced(): readonly string[] {
    return this.evened;
  }

  /** Raises and cuts of a group's desired capacity by name. */
  raises(since = 0): readonly string[] {
    return this.granted('SetDesiredCapacity', since).map(
      ({ params }) => `${String(params['AutoScalingGroupName'])} ${String(params['DesiredCapacity'])}`,
    );
  }

  /** Pods whose eviction was granted, one entry per grant. */
  evictions(clusterId: string): readonly string[] {
    return this.estate
      .cluster(clusterId)
      .wire.calls.entries.filter(
        (call) => call.subresource === 'eviction' && call.code >= 200 && call.code < 300,
      )
      .map((call) => `${call.namespace}/${call.name}`);
  }

  get jobNames(): readonly string[] {
    return this.jobs;
  }

  /** Instances whose termination by name was granted, one entry per grant, since the call of this number. */
  terminations(since = 0): readonly string[] {
    return this.granted('TerminateInstanceInAutoScalingGroup', since).map(({ params }) =>
      String(params['InstanceId']),
    );
  }

  /** Change sets that were executed, one entry per grant. */
  executedChangeSets(since = 0): readonly string[] {
    return this.granted('ExecuteChangeSet', since).map(
      ({ account, region, params }) =>
        `${account}/${region}/${String(params['StackName'] ?? '')}/${String(params['ChangeSetName'])}`,
    );
  }

  /** Mutating calls to AWS: all, or those of one account. */
  awsWrites(account?: string): number {
    return this.estate.aws.calls.count({
      mutating: true,
      outcome: 'ok',
      ...(account !== undefined && { account }),
    });
  }

  /** Writes to a cluster's API by Fairway that were neither dry runs nor parts of a conformance run. */
  clusterWrites(clusterId: string): number {
    return this.estate
      .cluster(clusterId)
      .wire.calls.entries.filter(
        (call) =>
          !call.dryRun &&
          WRITES.has(call.verb) &&
          call.code < 300 &&
          /fairway/.test(call.user ?? '') &&
          !/conformance/.test(`${call.namespace} ${call.name}`),
      ).length;
  }

  /** Every writing call and every birth and death of a machine, to be read when an expectation fails. */
  trail(since = 0): string {
    const calls = this.estate.aws.calls
      .query({ mutating: true, since })
      .map(({ seq, action, params, outcome }) => `${seq} ${action} ${outcome} ${JSON.stringify(params)}`);
    return ['calls:', ...calls, 'machines since the start:', ...this.machines].join('\n');
  }

  private granted(action: string, since: number) {
    return this.estate.aws.calls.query({ action, outcome: 'ok', since });
  }
}

const REBALANCED = /difference between desired and actual capacity/;
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export const repeated = (values: readonly string[]): readonly string[] => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];

export interface OpenIntent {
  readonly step: string;
  readonly verb: string;
  readonly target: string;
}

export const openIntents = (databaseUrl: string): Promise<readonly OpenIntent[]> =>
  withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<OpenIntent>(
      'SELECT step, verb, target FROM intents WHERE settled_at IS NULL ORDER BY ordinal',
    );
    return rows;
  });
