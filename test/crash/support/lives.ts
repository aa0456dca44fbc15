import { createClusterReconciler, createRenderService, type EnginePorts, type EngineSettings } from '#engine';
import { Incarnation, type Fate, type PortCall } from './incarnation.js';

/** What becomes of the process at a call; `holds`: it has the cluster's lease. */
export type FateOf = (call: PortCall, holds: boolean) => Fate;

export interface Life {
  readonly deaths: readonly (PortCall & { readonly fate: Fate })[];
  readonly calls: number;
  /** What incarnations wrote after another one had taken over their lease. */
  readonly lateDeeds: readonly string[];
  /** What they tried then and were refused. */
  readonly refused: readonly string[];
  /** By instance: when its drain began, as the database had it at the end of every pass. One where none was lost. */
  readonly drainStarts: ReadonlyMap<string, ReadonlySet<number>>;
}

/** The incarnations of one worker, one after the other; those that were overtaken wake up beside their successor. */
export class Lives {
  readonly deaths: (PortCall & { readonly fate: Fate })[] = [];
  private calls = 0;
  private readonly drainStarts = new Map<string, Set<number>>();
  private readonly incarnations: Incarnation[] = [];
  private readonly overtaken: Promise<unknown>[] = [];

  constructor(
    private readonly real: EnginePorts,
    private readonly settings: EngineSettings,
    private readonly fateOf: FateOf,
  ) {}

  /** A new incarnation; what it returns reconciles once, and resolves with undefined when it ended in the middle. */
  born(): (clusterId: string) => Promise<ReconcileResult | undefined> {
    const former = [...this.incarnations];
    const incarnation = new Incarnation(
      (call, holds) => this.judge(call, holds),
      () => former.forEach((one) => one.wake()),
    );
    this.incarnations.push(incarnation);
    const ports = incarnation.ports(this.real);
    const reconciler = createClusterReconciler(ports, this.settings, createRenderService(ports));
    return async (clusterId) => {
      const pass = reconciler.reconcile(clusterId);
      const result = await Promise.race([pass, incarnation.ended.then(() => undefined)]);
      if (result === undefined && this.deaths.at(-1)?.fate === 'overtaken') this.overtaken.push(pass);
      return result;
    };
  }

  private judge(call: PortCall, holds: boolean): Fate {
    this.calls += 1;
    const fate = this.fateOf(call, holds);
    if (fate !== 'lives') this.deaths.push({ ...call, fate });
    return fate;
  }

  /** Notes what the database remembers of drains. */
  observe(memory: Readonly<Record<string, unknown>> = {}): void {
    for (const value of Object.values(memory)) {
      const { instances = {} } = (value ?? {}) as {
        readonly instances?: Readonly<Record<string, { readonly drainStartedAt?: number }>>;
      };
      for (const [id, { drainStartedAt }] of Object.entries(instances)) {
        if (drainStartedAt === undefined) continue;
        this.drainStarts.set(id, (this.drainStarts.get(id) ?? new Set()).add(drainStartedAt));
      }
    }
  }

  /** Waits until those that woke up have come to their end too; the dead never do. */
  async over(): Promise<Life> {
    await Promise.allSettled(this.overtaken);
    const { deaths, calls, drainStarts } = this;
    return {
      deaths,
      calls,
      drainStarts,
      lateDeeds: this.incarnations.flatMap((one) => one.lateDeeds),
      refused: this.incarnations.flatMap((one) => one.refused),
    };
  }
}

type ReconcileResult = Awaited<ReturnType<ReturnType<typeof createClusterReconciler>['reconcile']>>;
