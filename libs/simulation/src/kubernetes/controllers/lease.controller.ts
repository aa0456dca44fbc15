import { seconds, type Duration } from '#kernel';
import type { Cancel } from '../../time/scheduler.js';
import type { Controller, ControllerContext } from './controller.js';

const LEADER_LEASES = ['kube-controller-manager', 'kube-scheduler'] as const;
const DURATION_SECONDS = 15;

/** Who holds the leaders' leases; undefined while no master lives. */
export type LeaderOf = () => string | undefined;

/** Renews the leaders' leases in kube-system as long as a master is there to do it. */
export class LeaderLeases implements Controller {
  readonly name = 'leader-election';
  private cancel: Cancel | undefined;
  private closed = false;

  constructor(
    private readonly context: ControllerContext,
    private readonly leader: LeaderOf,
    private readonly interval: Duration = seconds(5),
  ) {}

  start(): void {
    this.tick();
  }

  close(): void {
    this.closed = true;
    this.cancel?.();
  }

  private tick(): void {
    if (this.closed) return;
    const holder = this.leader();
    if (holder) for (const name of LEADER_LEASES) this.renew(name, holder);
    this.cancel = this.context.scheduler.after(this.pause, () => this.tick());
  }

  /** Readers judge a lease by their own watch, so where time runs fast a renewal a true second is enough. */
  private get pause(): Duration {
    return Math.max(this.interval, this.context.clock.trueTime(seconds(1)));
  }

  private renew(name: string, node: string): void {
    const { store, view, scheduler } = this.context;
    const now = microTime(scheduler.now());
    const known = view.get<Lease>('leases.coordination.k8s.io', 'kube-system', name);
    const holderIdentity = `${node}_${name}`;
    if (!known) {
      if (!view.get('namespaces', undefined, 'kube-system')) return;
      const spec = {
        holderIdentity,
        leaseDurationSeconds: DURATION_SECONDS,
        acquireTime: now,
        renewTime: now,
        leaseTransitions: 0,
      };
      store.create('leases.coordination.k8s.io', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: 'kube-system' },
        spec,
      });
      return;
    }
    const same = known.spec?.holderIdentity === holderIdentity;
    const taken = same
      ? {}
      : { holderIdentity, acquireTime: now, leaseTransitions: Number(known.spec?.leaseTransitions ?? 0) + 1 };
    const spec = { ...known.spec, ...taken, leaseDurationSeconds: DURATION_SECONDS, renewTime: now };
    store.modify('leases.coordination.k8s.io', 'kube-system', name, (draft) => void (draft['spec'] = spec), {
      manager: name,
    });
  }
}

interface Lease {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseTransitions?: number;
    readonly renewTime?: string;
  };
}

/** `metav1.MicroTime`. */
const microTime = (instant: number): string => new Date(instant).toISOString().replace(/Z$/, '000Z');
