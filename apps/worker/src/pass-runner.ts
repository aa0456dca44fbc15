import type { Duration, Instant } from '#kernel';
import { milliseconds, minutes, seconds, toFailure } from '#kernel';
import type { ClusterReconciler, EnginePorts, EngineSettings, InspectionPorts } from '#engine';
import { BackupSlots, reconcileBackups, reconcileChannel, reconcileRepository, runInspection } from '#engine';
import type { Metrics } from '#platform';
import type { WatchKeeper } from './watch-keeper.js';

/** A channel's passes take at most a tenth of the time. */
const REST = 9;
const LONGEST_REST = seconds(10);

/** Turns a doorbell's key into one pass, and a pass's wish to be woken into the next ring. */
export class PassRunner {
  /** Channels, and until when their last pass was enough: see `REST`. */
  private readonly resting = new Map<string, Instant>();
  /** Keys whose pass is under way in this process: the sweep need not ring them. */
  readonly inFlight = new Set<string>();
  private readonly slots = new BackupSlots();

  constructor(
    private readonly ports: EnginePorts,
    private readonly settings: EngineSettings,
    private readonly clusters: ClusterReconciler,
    private readonly watches: WatchKeeper,
    private readonly metrics: Metrics,
    private readonly inspections: InspectionPorts,
  ) {}

  readonly run = async (key: string): Promise<void> => {
    const slash = key.indexOf('/');
    const kind = key.slice(0, slash);
    const stop = this.metrics.passSeconds.startTimer({ kind });
    this.inFlight.add(key);
    try {
      const { result, recheckIn } = await this.pass(kind, key.slice(slash + 1));
      this.metrics.passes.inc({ kind, result });
      if (recheckIn !== undefined) await this.ring(key, recheckIn);
    } catch (thrown) {
      const failure = toFailure(thrown);
      this.metrics.passes.inc({ kind, result: 'error' });
      const log = failure.class === 'bug' ? this.ports.log.error : this.ports.log.warn;
      log('pass failed', { key, code: failure.code, reason: failure.message });
      await this.ring(key, seconds(5));
    } finally {
      this.inFlight.delete(key);
      stop();
    }
  };

  private async pass(kind: string, subject: string): Promise<{ result: string; recheckIn?: Duration }> {
    switch (kind) {
      case 'cluster':
        return this.clusterPass(subject);
      case 'channel':
        return this.channelPass(subject);
      case 'repository':
        return { result: await reconcileRepository(this.ports, this.settings, subject) };
      case 'backup':
        return reconcileBackups(this.ports, this.settings, this.slots, subject);
      case 'inspection':
        return { result: await runInspection(this.inspections, subject) };
      default:
        throw new Error(`a doorbell rang for "${kind}/${subject}", which no pass answers`);
    }
  }

  /**
   * Every change of one of its clusters rings a channel, and a pass looks at all of them: in a big fleet the passes would
   * take as much as the square of its size. So a pass rests for a multiple of the time it took, and what rang meanwhile is
   * looked at together.
   */
  private async channelPass(name: string): Promise<{ result: string; recheckIn?: Duration }> {
    const { clock } = this.ports;
    const begun = clock.now();
    const rest = Math.min(LONGEST_REST, (this.resting.get(name) ?? 0) - begun);
    if (rest > 0) return { result: 'rested', recheckIn: rest };
    const { kind: result, recheckIn } = await reconcileChannel(this.ports, this.settings, name);
    const took = Math.max(0, clock.now() - begun);
    this.resting.set(name, clock.now() + Math.min(LONGEST_REST, took * REST));
    return { result, recheckIn: Math.max(recheckIn, Math.min(LONGEST_REST, took * REST)) };
  }

  private async clusterPass(clusterId: string): Promise<{ result: string; recheckIn?: Duration }> {
    const result = await this.clusters.reconcile(clusterId);
    if (result.kind === 'busy') return { result: 'busy', recheckIn: seconds(2) };
    if (result.kind !== 'passed') {
      this.watches.forget(clusterId);
      return { result: result.kind };
    }
    if (result.watch) await this.watches.follow(clusterId, result.moved);
    else this.watches.forget(clusterId);
    if (result.nextDueAt === undefined) return { result: result.phase };
    const wait = Math.max(milliseconds(0), result.nextDueAt - this.ports.clock.now());
    // What is due later is found in the database; only the near future goes through the queue.
    return wait > minutes(1) ? { result: result.phase } : { result: result.phase, recheckIn: wait };
  }

  private async ring(key: string, delay: Duration): Promise<void> {
    await this.ports.doorbell.ring(key, delay).catch((error: unknown) => {
      this.ports.log.warn('doorbell is out of order; the sweep finds what is due', {
        key,
        reason: String(error),
      });
    });
  }
}
