import type { Duration } from '#kernel';
import { milliseconds, minutes, seconds, toFailure } from '#kernel';
import type { ClusterReconciler, EnginePorts, EngineSettings } from '#engine';
import { reconcileChannel, reconcileRepository } from '#engine';
import type { Metrics } from '#platform';
import type { WatchKeeper } from './watch-keeper.js';

/** Turns a doorbell's key into one pass, and a pass's wish to be woken into the next ring. */
export class PassRunner {
  /** Keys whose pass is under way in this process: the sweep need not ring them. */
  readonly inFlight = new Set<string>();

  constructor(
    private readonly ports: EnginePorts,
    private readonly settings: EngineSettings,
    private readonly clusters: ClusterReconciler,
    private readonly watches: WatchKeeper,
    private readonly metrics: Metrics,
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
      case 'channel': {
        const { kind: result, recheckIn } = await reconcileChannel(this.ports, this.settings, subject);
        return { result, recheckIn };
      }
      case 'repository':
        return { result: await reconcileRepository(this.ports, this.settings, subject) };
      default:
        throw new Error(`a doorbell rang for "${kind}/${subject}", which no pass answers`);
    }
  }

  private async clusterPass(clusterId: string): Promise<{ result: string; recheckIn?: Duration }> {
    const result = await this.clusters.reconcile(clusterId);
    if (result.kind === 'busy') return { result: 'busy', recheckIn: seconds(2) };
    if (result.kind !== 'passed') {
      this.watches.forget(clusterId);
      return { result: result.kind };
    }
    if (result.watch) await this.watches.follow(clusterId);
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
