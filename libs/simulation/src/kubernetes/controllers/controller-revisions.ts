import { clone } from '../api/object.js';
import type { ObjectInput, ObjectStore } from '../api/store.js';
import type { ClusterView } from './cluster-view.js';
import type { PodTemplate, Thing } from './objects.js';
import { ownedBy } from './pods.js';

const RESOURCE = 'controllerrevisions.apps';

interface Revision extends Thing {
  readonly data?: { readonly spec?: { readonly template?: PodTemplate } };
  readonly revision?: number;
}

/** The templates that a StatefulSet or DaemonSet has had, kept as ControllerRevisions so that pods can be made from an old one. */
export class Revisions {
  constructor(
    private readonly store: ObjectStore,
    private readonly view: ClusterView,
  ) {}

  ensure(owner: Thing, hash: string, template: PodTemplate): void {
    const { namespace } = owner.metadata;
    const name = `${owner.metadata.name}-${hash}`;
    if (this.view.get(RESOURCE, namespace, name)) return;
    const newest = Math.max(0, ...this.of(owner).map((revision) => revision.revision ?? 0));
    const object = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name,
        namespace,
        labels: { ...template.metadata?.labels, 'controller.kubernetes.io/hash': hash },
        ownerReferences: [ownedBy(owner)],
      },
      data: { spec: { template } },
      revision: newest + 1,
    };
    this.store.create(RESOURCE, clone(object) as unknown as ObjectInput);
  }

  template(owner: Thing, hash: string): PodTemplate | undefined {
    return this.view.get<Revision>(RESOURCE, owner.metadata.namespace, `${owner.metadata.name}-${hash}`)?.data
      ?.spec?.template;
  }

  private of(owner: Thing): Revision[] {
    return this.view
      .dependentsOf(owner.metadata.uid as string)
      .filter((object): object is Revision => object.kind === 'ControllerRevision');
  }
}
