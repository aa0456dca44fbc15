import { clone } from '../api/object.js';
import type { Duration } from '#kernel';
import { ApiError, type ObjectInput } from '../api/store.js';
import { controllerOf, keyOfObject } from './cluster-view.js';
import { queueFor, writeStatus, type Controller, type ControllerContext } from './controller.js';
import { countOf, planRecreate, planRollingUpdate, type Sizes } from './deployment-rollout.js';
import { progressDeadline, statusOf } from './deployment-status.js';
import type { Thing } from './objects.js';
import { isTerminating, ownedBy, templateHash } from './pods.js';
import type { Deployment, DeploymentSpec, ReplicaSet } from './workloads.js';
import type { WorkQueue } from './work-queue.js';

const RESOURCE = 'deployments.apps';
const SETS = 'replicasets.apps';
const REVISION = 'deployment.kubernetes.io/revision';

const revisionOf = (set: ReplicaSet): number => Number(set.metadata.annotations?.[REVISION] ?? 0);
const hashOf = (set: ReplicaSet): string | undefined => set.metadata.labels?.['pod-template-hash'];

/** Rolls Deployments from ReplicaSet to ReplicaSet inside maxSurge and maxUnavailable. */
export class DeploymentController implements Controller {
  readonly name = 'deployment-controller';
  private readonly queue: WorkQueue;
  /** The last picture of each Deployment's pods and template, and since when it has not changed. */
  private readonly pictures = new Map<string, { readonly picture: string; readonly since: number }>();

  constructor(private readonly context: ControllerContext) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key));
  }

  start(): void {
    const { view } = this.context;
    view.on<Deployment>(RESOURCE, ({ type, object }) => {
      if (type === 'DELETED') this.pictures.delete(object.metadata.uid as string);
      this.queue.add(keyOfObject(object));
    });
    const wakeOwner = ({ object }: { readonly object: Thing }): void => {
      const owner = controllerOf(object);
      if (owner?.kind === 'Deployment') this.queue.add(`${object.metadata.namespace}/${owner.name}`);
    };
    view.on<ReplicaSet>(SETS, wakeOwner);
    view.on('pods', ({ type, object }) => {
      const owner = type === 'DELETED' ? controllerOf(object) : undefined;
      const set = owner && view.get<ReplicaSet>(SETS, object.metadata.namespace, owner.name);
      if (set) wakeOwner({ object: set });
    });
    for (const deployment of view.all<Deployment>(RESOURCE)) this.queue.add(keyOfObject(deployment));
  }

  close(): void {
    this.queue.close();
  }

  private reconcile(key: string): void {
    const deployment = this.context.view.byKey<Deployment>(RESOURCE, key);
    if (!deployment?.spec || isTerminating(deployment)) return;
    const fresh = this.newSet(deployment);
    if (!fresh) return;
    const old = this.setsOf(deployment).filter((set) => set.metadata.uid !== fresh.metadata.uid);
    this.resize(deployment, this.plan(deployment, fresh, old));
    this.forgetOld(deployment, old);
    this.report(key);
  }

  private setsOf(deployment: Deployment): ReplicaSet[] {
    return this.context.view
      .dependentsOf(deployment.metadata.uid as string)
      .filter((object): object is ReplicaSet => object.kind === 'ReplicaSet');
  }

  /** The set that carries today's template; made where there is none, unless the Deployment is paused. */
  private newSet(deployment: Deployment): ReplicaSet | undefined {
    const spec = deployment.spec as DeploymentSpec;
    const hash = templateHash(spec.template);
    const sets = this.setsOf(deployment);
    const known = sets.find((set) => hashOf(set) === hash);
    const newest = Math.max(0, ...sets.filter((set) => set !== known).map(revisionOf));
    if (known) {
      if (revisionOf(known) <= newest) this.mark(SETS, known, newest + 1);
      this.mark(RESOURCE, deployment, Math.max(revisionOf(known), newest + 1));
      return known;
    }
    if (spec.paused) return sets.sort((a, b) => revisionOf(b) - revisionOf(a))[0];
    return this.createSet(deployment, hash, newest + 1);
  }

  private createSet(deployment: Deployment, hash: string, revision: number): ReplicaSet | undefined {
    const { store, events } = this.context;
    const spec = deployment.spec as DeploymentSpec;
    const labels = { ...spec.template.metadata?.labels, 'pod-template-hash': hash };
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        namespace: deployment.metadata.namespace,
        labels,
        annotations: { [REVISION]: String(revision) },
        ownerReferences: [ownedBy(deployment)],
      },
      spec: {
        replicas: 0,
        ...(spec.minReadySeconds && { minReadySeconds: spec.minReadySeconds }),
        selector: {
          ...spec.selector,
          matchLabels: { ...spec.selector.matchLabels, 'pod-template-hash': hash },
        },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    };
    try {
      const made = store.create(SETS, clone(set) as unknown as ObjectInput) as unknown as ReplicaSet;
      this.mark(RESOURCE, deployment, revision);
      return made;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      events.warning(
        deployment,
        'ReplicaSetCreateError',
        `Failed to create new replica set: ${error.message}`,
        this.name,
      );
      this.queue.add(keyOfObject(deployment), 10_000);
      return undefined;
    }
  }

  private mark(resource: string, object: Thing, revision: number): void {
    if (object.metadata.annotations?.[REVISION] === String(revision)) return;
    this.context.store.modify(resource, object.metadata.namespace, object.metadata.name, (draft) => {
      draft.metadata.annotations = { ...draft.metadata.annotations, [REVISION]: String(revision) };
    });
  }

  private plan(deployment: Deployment, fresh: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
    const counts = old.map(countOf);
    const active = counts.filter((set) => set.replicas > 0);
    if (deployment.spec?.paused) {
      const only = [countOf(fresh), ...active].filter((set) => set.replicas > 0);
      const desired = deployment.spec.replicas ?? 1;
      return only.length === 1 ? new Map([[(only[0] as { name: string }).name, desired]]) : new Map();
    }
    if (deployment.spec?.strategy?.type === 'Recreate') {
      const oldPods = old.reduce(
        (total, set) => total + this.context.view.podsOf(set.metadata.uid).length,
        0,
      );
      return planRecreate(deployment, countOf(fresh), counts, oldPods);
    }
    return planRollingUpdate(deployment, countOf(fresh), counts);
  }

  private resize(deployment: Deployment, sizes: Sizes): void {
    const { store, view, events } = this.context;
    const { namespace } = deployment.metadata;
    for (const [name, size] of sizes) {
      const before = view.get<ReplicaSet>(SETS, namespace, name)?.spec?.replicas ?? 0;
      if (before === size) continue;
      store.modify(SETS, namespace, name, (draft) => {
        draft['spec'] = { ...(draft['spec'] as object), replicas: size };
      });
      const verb = size > before ? 'up' : 'down';
      const text = `Scaled ${verb} replica set ${name} from ${before} to ${size}`;
      events.normal(deployment, 'ScalingReplicaSet', text, this.name);
    }
  }

  private forgetOld(deployment: Deployment, old: readonly ReplicaSet[]): void {
    const limit = deployment.spec?.revisionHistoryLimit ?? 10;
    const idle = old
      .filter((set) => set.spec?.replicas === 0 && (set.status?.replicas ?? 0) === 0 && !isTerminating(set))
      .sort((a, b) => revisionOf(a) - revisionOf(b));
    for (const set of idle.slice(0, Math.max(0, idle.length - limit))) {
      this.context.store.remove(SETS, set.metadata.namespace, set.metadata.name, {
        propagationPolicy: 'Background',
      });
    }
  }

  private stalledFor(deployment: Deployment, hash: string, sets: readonly ReplicaSet[]): Duration {
    const { clock } = this.context;
    const uid = deployment.metadata.uid as string;
    const counts = sets.map(({ metadata, spec, status }) => [
      metadata.name,
      spec?.replicas,
      status?.readyReplicas,
      status?.availableReplicas,
    ]);
    const picture = JSON.stringify([hash, counts]);
    const known = this.pictures.get(uid);
    if (known?.picture === picture) return clock.now() - known.since;
    this.pictures.set(uid, { picture, since: clock.now() });
    return 0;
  }

  private report(key: string): void {
    const { store, view, scheduler } = this.context;
    const deployment = view.byKey<Deployment>(RESOURCE, key);
    if (!deployment) return;
    const hash = templateHash((deployment.spec as DeploymentSpec).template);
    const sets = this.setsOf(deployment);
    const stalledFor = this.stalledFor(deployment, hash, sets);
    const moment = { now: scheduler.now(), stalledFor };
    const status = statusOf(
      deployment,
      sets,
      sets.find((set) => hashOf(set) === hash),
      moment,
    );
    writeStatus(store, RESOURCE, deployment.metadata.namespace, deployment.metadata.name, { ...status });
    const deadline = progressDeadline(deployment, status, stalledFor);
    if (deadline !== undefined) this.queue.add(key, deadline);
  }
}
