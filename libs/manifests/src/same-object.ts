import { refKey, type KubernetesObject, type ObjectRef } from '#fleet';

/**
 * References as Git writes them, looked up by what they mean: the API server reads no namespace as `default`, and whatever
 * is written there does not count for kinds without namespaces. A live object says by itself which of both it is.
 */
export class MeaningIndex {
  readonly #refs = new Map<string, ObjectRef[]>();

  constructor(refs: readonly ObjectRef[]) {
    for (const ref of refs) {
      const key = nameKey(ref);
      this.#refs.set(key, [...(this.#refs.get(key) ?? []), ref]);
    }
  }

  /** Those that mean this object; more than one where Git names it in different words. */
  of({ apiVersion, kind, metadata }: KubernetesObject): readonly ObjectRef[] {
    const { name, namespace } = metadata;
    return (this.#refs.get(nameKey({ apiVersion, kind, name })) ?? []).filter(
      (ref) => namespace === undefined || (ref.namespace ?? 'default') === namespace,
    );
  }
}

const nameKey = ({ apiVersion, kind, name }: ObjectRef): string => refKey({ apiVersion, kind, name });
