import { toFailure } from '#kernel';
import type { Channel, Cluster, ConformanceRun, FleetEvent } from '#fleet';
import {
  conformanceObjects,
  conformanceRefs,
  followLog,
  type ConformanceSuite,
  type Judgement,
  type StartRun,
} from '#promotion';
import type { ClusterRuntime } from '#ports';
import type { EnginePorts, EngineSettings } from '../engine-ports.js';
import type { LeaseKeeper } from '../pass/lease-keeper.js';
import { SETTLED, settledBasis } from '../pass/settled.js';
import type { ChannelView } from './channel-view.js';
import { outcomeOfRun } from './conformance-outcome.js';
import { removeLeftovers } from './conformance-cleanup.js';
import { policyToGoBy } from './policy-in-force.js';
import type { PolicySource } from './policy-reader.js';

/** A run as it is recorded before anything is created; undefined while the cluster's content is not known. */
export function newRun(ports: EnginePorts, view: ChannelView, start: StartRun): ConformanceRun | undefined {
  const facts = view.facts.find((cluster) => cluster.id === start.clusterId);
  if (facts?.desiredDigest === undefined) return undefined;
  return {
    id: ports.ids.next(),
    channel: view.channel.name,
    clusterId: start.clusterId,
    suite: start.suite,
    revisionId: view.revision.id,
    commit: view.revision.commit,
    treeDigest: view.revision.treeDigest,
    desiredDigest: facts.desiredDigest,
    attempt: start.attempt,
    state: 'pending',
    failedTests: [],
    createdAt: ports.clock.now(),
  };
}

/** Moves every unfinished run of the channel one step on. True while some are left. */
export async function advanceRuns(
  ports: EnginePorts,
  settings: EngineSettings,
  lease: LeaseKeeper,
  channel: Channel,
  policies: PolicySource,
): Promise<boolean> {
  const runs = (await ports.channels.runsFor({ channel: channel.name }, 200)).filter(
    (run) => run.state !== 'finished',
  );
  const runner = new RunAdvancer(ports, lease, channel, policies);
  for (const run of runs) {
    try {
      await runner.advance(run);
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code === 'lease-lost') throw thrown;
      ports.log.warn('conformance run could not be advanced', {
        runId: run.id,
        clusterId: run.clusterId,
        code: failure.code,
        reason: failure.message,
        recheckMs: settings.pollInterval,
      });
    }
  }
  return runs.length > 0;
}

class RunAdvancer {
  constructor(
    private readonly ports: EnginePorts,
    private readonly lease: LeaseKeeper,
    private readonly channel: Channel,
    private readonly policies: PolicySource,
  ) {}

  async advance(run: ConformanceRun): Promise<void> {
    const [cluster, runtime] = await Promise.all([
      this.ports.registry.getCluster(run.clusterId),
      this.ports.updates.runtime(run.clusterId),
    ]);
    if (!cluster || !runtime || (await this.overtaken(run, runtime))) return this.abandon(run, cluster);
    if (run.state === 'pending') return this.start(run, cluster, runtime);
    return this.look(run, cluster, runtime);
  }

  /** The cluster is meant to run another content by now: the run would prove nothing. Another commit of it is no other. */
  private async overtaken(run: ConformanceRun, { admittedRevisionId }: ClusterRuntime): Promise<boolean> {
    if (admittedRevisionId === undefined) return true;
    if (admittedRevisionId === run.revisionId) return false;
    return (await this.ports.channels.getRevision(admittedRevisionId))?.treeDigest !== run.treeDigest;
  }

  private async start(run: ConformanceRun, cluster: Cluster, runtime: ClusterRuntime): Promise<void> {
    if (runtime.status?.phase !== 'ready') return;
    const others = await this.ports.channels.unfinishedRuns(run.clusterId);
    if (others.some((other) => other.id !== run.id && other.state === 'running')) return;
    const suite = await this.suiteOf(run);
    if (!suite) return this.finish(run, refused(`suite ${run.suite} is not in fairway.yaml`));
    const kubernetes = await this.ports.kubernetes.connect(cluster);
    const serverVersion = await kubernetes.serverVersion();
    const ownJob = await this.ownJobOf(run, suite);
    const objects = conformanceObjects(run, suite, {
      serverVersion,
      ...(ownJob !== undefined && { ownJob }),
    });
    if (!objects.ok) return this.finish(run, refused(objects.error));
    // Recorded as running before the first object exists: names come from the run's id, so a second try finds them.
    const now = this.ports.clock.now();
    await this.save({ ...run, state: 'running', serverVersion, startedAt: run.startedAt ?? now }, [
      this.event(
        run,
        'conformance.started',
        'info',
        `${run.suite} starts on ${cluster.alias}, attempt ${run.attempt}`,
      ),
    ]);
    // What a worker that died left of other runs; one cluster has one run at a time.
    await removeLeftovers(kubernetes, [run.id]);
    for (const object of objects.value) {
      await kubernetes.apply(object, { dryRun: false, force: true, fieldManager: 'fairway' });
    }
  }

  private async look(run: ConformanceRun, cluster: Cluster, runtime: ClusterRuntime): Promise<void> {
    const suite = await this.suiteOf(run);
    if (!suite) return this.finish(run, refused(`suite ${run.suite} is not in fairway.yaml`), cluster);
    const kubernetes = await this.ports.kubernetes.connect(cluster);
    const digestNow = settledBasis(runtime.memory[SETTLED])?.desiredDigest;
    const outcome = await outcomeOfRun(kubernetes, run, suite, digestNow, this.ports.clock.now());
    if (outcome.kind === 'absent') return this.start({ ...run, state: 'pending' }, cluster, runtime);
    await this.keepLog(run, outcome.tail);
    if (outcome.kind === 'running') {
      if (outcome.message !== run.message) await this.save({ ...run, message: outcome.message }, []);
      return;
    }
    await this.finish(run, outcome.judgement, cluster);
  }

  /** What the tests printed since the last look, for people: it has to outlive the Job. */
  private async keepLog(run: ConformanceRun, tail: string | undefined): Promise<void> {
    if (tail === undefined || tail === '') return;
    const known = await this.ports.channels.conformanceLog(run.id);
    const { text, dropped } = followLog(known, tail);
    if (known?.text === text) return;
    const log = { runId: run.id, text, dropped, updatedAt: this.ports.clock.now() };
    await this.ports.channels.saveConformanceLog(await this.lease.current(), log);
  }

  private async finish(run: ConformanceRun, judgement: Judgement, cluster?: Cluster): Promise<void> {
    const { verdict, reason, executed, failedTests, message } = judgement;
    const where = cluster?.alias ?? run.clusterId;
    const text = `${run.suite} on ${where}: ${verdict} (${reason}). ${message}`;
    const severity = verdict === 'pass' ? 'info' : verdict === 'fail' ? 'error' : 'warning';
    await this.save(
      {
        ...run,
        state: 'finished',
        verdict,
        reason,
        executed,
        failedTests: failedTests.slice(0, 500),
        message,
        finishedAt: this.ports.clock.now(),
      },
      [
        this.event(
          run,
          `conformance.${verdict === 'pass' ? 'passed' : verdict === 'fail' ? 'failed' : 'inconclusive'}`,
          severity,
          text,
        ),
      ],
    );
    if (cluster) await this.cleanUp(run, cluster);
    await this.ports.doorbell.ring(`cluster/${run.clusterId}`).catch(() => undefined);
  }

  private async abandon(run: ConformanceRun, cluster: Cluster | undefined): Promise<void> {
    const message = 'the cluster moves to another revision';
    await this.finish(
      run,
      { verdict: 'inconclusive', reason: 'content-changed', executed: 0, failedTests: [], message },
      run.state === 'running' ? cluster : undefined,
    );
  }

  private async cleanUp(run: ConformanceRun, cluster: Cluster): Promise<void> {
    const kubernetes = await this.ports.kubernetes.connect(cluster);
    for (const ref of conformanceRefs(run.id)) {
      await kubernetes.delete(ref, { propagationPolicy: 'Background' });
    }
  }

  private async suiteOf(run: ConformanceRun): Promise<ConformanceSuite | undefined> {
    const channels = await this.ports.channels.listChannels();
    for (const target of channels.filter((candidate) => candidate.from === this.channel.name)) {
      const suite = (await policyToGoBy(this.ports, this.policies, target))?.suites[run.suite];
      if (suite) return suite;
    }
    return undefined;
  }

  private async ownJobOf(run: ConformanceRun, suite: ConformanceSuite): Promise<string | undefined> {
    if (suite.job === undefined) return undefined;
    return this.ports.git.readFile(this.channel.repository, run.commit, suite.job);
  }

  private async save(run: ConformanceRun, events: readonly FleetEvent[]): Promise<void> {
    await this.ports.channels.saveRun(await this.lease.current(), run, events);
  }

  private event(
    run: ConformanceRun,
    type: string,
    severity: FleetEvent['severity'],
    message: string,
  ): FleetEvent {
    return {
      type,
      at: this.ports.clock.now(),
      severity,
      subject: `channel/${run.channel}`,
      channel: run.channel,
      clusterId: run.clusterId,
      message,
      data: { runId: run.id, suite: run.suite, commit: run.commit, attempt: run.attempt },
    };
  }
}

const refused = (message: string): Judgement => ({
  verdict: 'fail',
  reason: 'no-expectation',
  executed: 0,
  failedTests: [],
  message,
});
