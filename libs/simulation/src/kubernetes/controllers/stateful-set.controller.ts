import { clone } from '../api/object.js';
import { ApiError, type ObjectInput } from '../api/store.js';
import { controllerOf, keyOfObject } from './cluster-view.js';
import { queueFor, writeStatus, type Controller, type ControllerContext } from './controller.js';
import { Revisions } from './controller-revisions.js';
import type { Pod, PodTemplate, Volume } from './objects.js';
import {
  isAvailable,
  isFinished,
  isReady,
  isTerminating,
  nextAvailable,
  podFrom,
  templateHash,
} from './pods.js';
import type { StatefulSet, StatefulSetSpec } from './workloads.js';
import type { WorkQueue } from './work-queue.js';

const RESOURCE = 'statefulsets.apps';
const HASH = 'controller-revision-hash';

interface Pass {
  readonly set: StatefulSet;
  readonly spec: StatefulSetSpec;
  readonly update: string;
  readonly current: string;
  readonly pods: ReadonlyMap<number, Pod>;
  readonly first: number;
  readonly last: number;
}

/** Pods with fixed names and volumes of their own, one after the other unless the policy says `Parallel`. */
export class StatefulSetController implements Controller {
  readonly name = 'statefulset-controller';
  private readonly queue: WorkQueue;
  private readonly revisions: Revisions;

  constructor(private readonly context: ControllerContext) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key));
    this.revisions = new Revisions(context.store, context.view);
  }

  start(): void {
    const { view } = this.context;
    view.on<StatefulSet>(RESOURCE, ({ object }) => this.queue.add(keyOfObject(object)));
    view.on<Pod>('pods', ({ object }) => {
      const owner = controllerOf(object);
      if (owner?.kind === 'StatefulSet') this.queue.add(`${object.metadata.namespace}/${owner.name}`);
    });
    for (const set of view.all<StatefulSet>(RESOURCE)) this.queue.add(keyOfObject(set));
  }

  close(): void {
    this.queue.close();
  }

  private reconcile(key: string): void {
    const set = this.context.view.byKey<StatefulSet>(RESOURCE, key);
    if (!set?.spec || isTerminating(set)) return;
    const pass = this.prepare(set, set.spec);
    this.settle(pass);
    this.count(key, pass);
  }

  private prepare(set: StatefulSet, spec: StatefulSetSpec): Pass {
    const update = templateHash(spec.template);
    this.revisions.ensure(set, update, spec.template);
    const pods = new Map<number, Pod>();
    for (const pod of this.context.view.podsOf(set.metadata.uid)) {
      const ordinal = Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? -1);
      if (ordinal >= 0) pods.set(ordinal, pod);
    }
    const first = spec.ordinals?.start ?? 0;
    const known = shortHash(set.status?.currentRevision, set);
    return {
      set,
      spec,
      update,
      current: known ?? update,
      pods,
      first,
      last: first + (spec.replicas ?? 1) - 1,
    };
  }

  /** One pass: fill the gaps in order, then shrink from the top, then replace what is outdated from the top. */
  private settle(pass: Pass): void {
    const ordered = pass.spec.podManagementPolicy !== 'Parallel';
    for (let ordinal = pass.first; ordinal <= pass.last; ordinal++) {
      const pod = pass.pods.get(ordinal);
      if (pod && isFinished(pod) && !isTerminating(pod)) this.delete(pass.set, pod);
      else if (!pod) this.create(pass, ordinal);
      if (ordered && !(pod && isReady(pod) && !isTerminating(pod))) return;
    }
    if (this.shrink(pass, ordered)) return;
    this.replaceOutdated(pass);
  }

  private shrink(pass: Pass, ordered: boolean): boolean {
    const surplus = [...pass.pods].filter(([n]) => n > pass.last || n < pass.first).sort(([a], [b]) => b - a);
    for (const [, pod] of surplus) {
      if (!isTerminating(pod)) this.delete(pass.set, pod);
      if (ordered) break;
    }
    return surplus.length > 0;
  }

  private replaceOutdated(pass: Pass): void {
    if (pass.spec.updateStrategy?.type === 'OnDelete') return;
    const partition = pass.first + (pass.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
    for (let ordinal = pass.last; ordinal >= partition; ordinal--) {
      const pod = pass.pods.get(ordinal);
      if (!pod) return;
      if (pod.metadata.labels?.[HASH] !== revisionName(pass.set, pass.update)) {
        if (!isTerminating(pod)) this.delete(pass.set, pod);
        return;
      }
      if (!isReady(pod) || isTerminating(pod)) return;
    }
  }

  private create(pass: Pass, ordinal: number): void {
    const { store, events } = this.context;
    const { set } = pass;
    const name = `${set.metadata.name}-${ordinal}`;
    const partition = pass.first + (pass.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
    const revision = ordinal < partition ? pass.current : pass.update;
    const template = this.revisions.template(set, revision) ?? pass.spec.template;
    try {
      this.createClaims(pass, ordinal);
      store.create('pods', podFrom(template, set, name, identityOf(pass, template, name, ordinal, revision)));
      events.normal(
        set,
        'SuccessfulCreate',
        `create Pod ${name} in StatefulSet ${set.metadata.name} successful`,
        this.name,
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      events.warning(
        set,
        'FailedCreate',
        `create Pod ${name} in StatefulSet ${set.metadata.name} failed: ${error.message}`,
        this.name,
      );
      this.queue.add(keyOfObject(set), 10_000);
    }
  }

  private createClaims({ set, spec }: Pass, ordinal: number): void {
    const { store, view } = this.context;
    const { namespace } = set.metadata;
    for (const claim of spec.volumeClaimTemplates ?? []) {
      const name = `${claim.metadata.name}-${set.metadata.name}-${ordinal}`;
      if (view.get('persistentvolumeclaims', namespace, name)) continue;
      const labels = { ...spec.selector.matchLabels, ...claim.metadata.labels };
      const object = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name,
          namespace,
          labels,
          ...(claim.metadata.annotations && { annotations: claim.metadata.annotations }),
        },
        spec: claim.spec,
      };
      store.create('persistentvolumeclaims', clone(object) as unknown as ObjectInput);
    }
  }

  private delete(set: StatefulSet, pod: Pod): void {
    this.context.store.remove('pods', pod.metadata.namespace, pod.metadata.name, {
      uid: pod.metadata.uid as string,
    });
    const text = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
    this.context.events.normal(set, 'SuccessfulDelete', text, this.name);
  }

  private count(key: string, pass: Pass): void {
    const { store, view } = this.context;
    const set = view.byKey<StatefulSet>(RESOURCE, key);
    if (!set) return;
    const minReady = pass.spec.minReadySeconds ?? 0;
    const pods = view.podsOf(set.metadata.uid).filter((pod) => !isFinished(pod));
    const live = pods.filter((pod) => !isTerminating(pod));
    const updated = live.filter(
      (pod) => pod.metadata.labels?.[HASH] === revisionName(set, pass.update),
    ).length;
    const ready = live.filter(isReady).length;
    const done = updated === (pass.spec.replicas ?? 1) && ready === updated && pods.length === updated;
    const current = done ? pass.update : pass.current;
    writeStatus(store, RESOURCE, set.metadata.namespace, set.metadata.name, {
      observedGeneration: set.metadata.generation ?? 1,
      replicas: pods.length,
      ...(ready > 0 && { readyReplicas: ready }),
      availableReplicas: live.filter((pod) => isAvailable(view, pod, minReady)).length,
      currentReplicas: live.filter((pod) => pod.metadata.labels?.[HASH] === revisionName(set, current))
        .length,
      updatedReplicas: updated,
      currentRevision: revisionName(set, current),
      updateRevision: revisionName(set, pass.update),
      collisionCount: 0,
    });
    const next = nextAvailable(view, live, minReady);
    if (next !== undefined) this.queue.add(key, next);
  }
}

const revisionName = (set: StatefulSet, hash: string): string => `${set.metadata.name}-${hash}`;

const shortHash = (revision: string | undefined, set: StatefulSet): string | undefined =>
  revision?.startsWith(`${set.metadata.name}-`) ? revision.slice(set.metadata.name.length + 1) : undefined;

function identityOf(pass: Pass, template: PodTemplate, name: string, ordinal: number, revision: string) {
  const { set, spec } = pass;
  const claims = new Set(spec.volumeClaimTemplates?.map((claim) => claim.metadata.name));
  const own: Volume[] = (spec.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata.name,
    persistentVolumeClaim: { claimName: `${claim.metadata.name}-${set.metadata.name}-${ordinal}` },
  }));
  const volumes = [...own, ...(template.spec.volumes ?? []).filter((volume) => !claims.has(volume.name))];
  return {
    labels: {
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
      [HASH]: revisionName(set, revision),
    },
    spec: {
      hostname: name,
      ...(spec.serviceName && { subdomain: spec.serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}
