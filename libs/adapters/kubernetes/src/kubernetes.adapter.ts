import { FailureError, seconds } from '#kernel';
import {
  refKey,
  refOf,
  type KubernetesObject,
  type NodeView,
  type ObjectRef,
  type PdbView,
  type PodView,
} from '#fleet';
import type {
  ApplyOptions,
  ConnectionCertificate,
  DeleteOptions,
  EvictionAnswer,
  KubernetesPort,
  ListableKind,
  ListOptions,
  MetricSample,
  NodePatch,
  WatchedKind,
} from '#ports';
import type { ApiRequest, ApiTransport } from './api-transport.js';
import { failureError, isUidMismatch } from './classify.js';
import { kindUnknown, type Discovery, type ResourceKind } from './discovery.js';
import { classifyEviction } from './eviction.js';
import { adoptFields } from './field-adoption.js';
import { nodeMergePatch } from './node-patch.js';
import { podLogText } from './pod-log.js';
import {
  absent,
  collectionPath,
  object,
  objectPath,
  pathGone,
  segment,
  selectors,
  withoutServerFields,
} from './objects.js';
import { listKind } from './kind-list.js';
import { listAll } from './paged-list.js';
import { listableKinds, listPages } from './resource-export.js';
import { parseStatus, type ApiAnswer } from './status.js';
import { askReady, readMetrics, readVersion } from './server-questions.js';
import { nodeView, pdbView, podView } from './views.js';
import type { WatchHub } from './watch-hub.js';
import type { RequestContext } from './request-context.js';

const MAX_PATCH_TRIES = 5;

/** One cluster's API, over the wire. */
export class KubernetesAdapter implements KubernetesPort {
  constructor(
    private readonly transport: ApiTransport,
    private readonly discovery: Discovery,
    private readonly watches: WatchHub,
    /** Names us as the writer of what is created and patched. */
    private readonly fieldManager: string,
  ) {}

  async serverVersion(): Promise<string> {
    return readVersion(this.transport);
  }

  ready(): Promise<boolean> {
    return askReady(this.transport);
  }

  async metrics(names: readonly string[]): Promise<readonly MetricSample[]> {
    return readMetrics(this.transport, names);
  }

  async certificates(): Promise<readonly ConnectionCertificate[]> {
    return this.transport.certificates(read('look at the certificates'));
  }

  async listNodes(): Promise<readonly NodeView[]> {
    return listAll(this.transport, '/api/v1/nodes', {}, read('list nodes'), nodeView);
  }

  async listPods(options: ListOptions = {}): Promise<readonly PodView[]> {
    const path =
      options.namespace === undefined
        ? '/api/v1/pods'
        : `/api/v1/namespaces/${segment(options.namespace)}/pods`;
    return listAll(this.transport, path, selectors(options), read('list pods'), podView);
  }

  async listPdbs(): Promise<readonly PdbView[]> {
    const path = '/apis/policy/v1/poddisruptionbudgets';
    return listAll(this.transport, path, {}, read('list PodDisruptionBudgets'), pdbView);
  }

  async patchNode(node: { readonly name: string; readonly uid: string }, patch: NodePatch): Promise<void> {
    const path = `/api/v1/nodes/${segment(node.name)}`;
    const context: RequestContext = { action: `patch node ${node.name}`, verb: 'patch' };
    for (let tries = 1; ; tries += 1) {
      const live = object(await this.transport.send({ method: 'GET', path, context }), context);
      if (live.metadata.uid !== node.uid) throw replaced(context, node.uid);
      const body = nodeMergePatch(live, patch);
      if (!body) return;
      const answer = await this.transport.send({
        method: 'PATCH',
        path,
        query: { fieldManager: this.fieldManager },
        contentType: 'application/merge-patch+json',
        body,
        context,
      });
      // Kubelets and controllers write nodes as well: read again and try again.
      if (answer.status === 409 && tries < MAX_PATCH_TRIES) continue;
      object(answer, context);
      return;
    }
  }

  async evict(pod: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  }): Promise<EvictionAnswer> {
    const context: RequestContext = { action: `evict pod ${pod.namespace}/${pod.name}`, verb: 'delete' };
    const request = {
      method: 'POST',
      path: `/api/v1/namespaces/${segment(pod.namespace)}/pods/${segment(pod.name)}/eviction`,
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { namespace: pod.namespace, name: pod.name },
        deleteOptions: { preconditions: { uid: pod.uid } },
      },
      context,
      patient: false,
    } as const;
    let answer: ApiAnswer;
    try {
      answer = await this.transport.send(request);
    } catch (thrown) {
      const { failure } = failureError(thrown, context);
      if (failure.class === 'transient') return { kind: 'transient', message: failure.message };
      throw thrown;
    }
    return classifyEviction(answer, context);
  }

  async get(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    const context = { ...read(`read ${refKey(ref)}`), secret: ref.kind === 'Secret' };
    const answer = await this.#ofStored(ref, { method: 'GET', context });
    return answer && object(answer, context);
  }

  list(
    of: { readonly apiVersion: string; readonly kind: string },
    options: ListOptions = {},
  ): Promise<readonly KubernetesObject[]> {
    return listKind(this.transport, this.discovery, of, options);
  }

  async apply(desired: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject> {
    const ref = refOf(desired);
    const context = {
      action: `${options.dryRun ? 'dry-run' : 'apply'} ${refKey(ref)}`,
      verb: 'apply',
      secret: ref.kind === 'Secret',
    } as const;
    const kind = await this.discovery.require(ref.apiVersion, ref.kind);
    const answer = await this.transport.send({
      method: 'PATCH',
      path: objectPath(kind, ref),
      query: {
        fieldManager: options.fieldManager,
        force: String(options.force),
        fieldValidation: 'Strict',
        dryRun: options.dryRun ? 'All' : undefined,
      },
      // JSON is YAML.
      contentType: 'application/apply-patch+yaml',
      body: withoutServerFields(desired),
      context,
    });
    if (this.#vanished(answer, kind)) throw kindUnknown(ref.apiVersion, ref.kind);
    return object(answer, context);
  }

  async adoptFields(
    ref: ObjectRef,
    options: { readonly from: readonly string[]; readonly fieldManager: string },
  ): Promise<boolean> {
    const kind = await this.discovery.require(ref.apiVersion, ref.kind);
    return adoptFields(this.transport, kind, ref, options);
  }

  async create(desired: KubernetesObject): Promise<KubernetesObject> {
    const ref = refOf(desired);
    const context = {
      action: `create ${refKey(ref)}`,
      verb: 'create',
      secret: ref.kind === 'Secret',
    } as const;
    const kind = await this.discovery.require(ref.apiVersion, ref.kind);
    const answer = await this.transport.send({
      method: 'POST',
      path: collectionPath(kind, ref.namespace ?? (kind.namespaced ? 'default' : undefined)),
      query: { fieldManager: this.fieldManager },
      body: desired,
      context,
      // A second try could meet our own first one and report it as somebody else's.
      repeatable: false,
    });
    if (this.#vanished(answer, kind)) throw kindUnknown(ref.apiVersion, ref.kind);
    return object(answer, context);
  }

  async delete(ref: ObjectRef, options: DeleteOptions): Promise<boolean> {
    const context = { action: `delete ${refKey(ref)}`, verb: 'delete' } as const;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(options.uid !== undefined && { preconditions: { uid: options.uid } }),
      ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
      ...(options.propagationPolicy !== undefined && { propagationPolicy: options.propagationPolicy }),
    };
    const answer = await this.#ofStored(ref, { method: 'DELETE', body, context });
    if (!answer) return false;
    if (answer.status >= 200 && answer.status < 300) return true;
    const status = parseStatus(answer.body);
    // The one that was meant is gone; the name belongs to another object now.
    if (answer.status === 409 && status && isUidMismatch(status)) return false;
    throw failureError(answer, context);
  }

  async podLog(pod: {
    readonly namespace: string;
    readonly name: string;
    readonly container: string;
    readonly limitBytes: number;
    readonly tailLines?: number;
  }): Promise<string | undefined> {
    const context = read(`read the log of ${pod.namespace}/${pod.name} ${pod.container}`);
    const answer = await this.transport.send({
      method: 'GET',
      path: `/api/v1/namespaces/${segment(pod.namespace)}/pods/${segment(pod.name)}/log`,
      query: {
        container: pod.container,
        limitBytes: String(pod.limitBytes),
        ...(pod.tailLines !== undefined && { tailLines: String(pod.tailLines) }),
      },
      accept: '*/*',
      context,
      timeout: seconds(30),
    });
    return podLogText(answer, context);
  }

  async listableKinds(skipGroup: (group: string) => boolean): Promise<readonly ListableKind[]> {
    return listableKinds(this.transport, skipGroup);
  }

  listPages(kind: ListableKind): AsyncIterable<readonly KubernetesObject[]> {
    return listPages(this.transport, kind);
  }

  watch(kinds: readonly WatchedKind[], changed: (kind: WatchedKind) => void, signal: AbortSignal): void {
    this.watches.subscribe(kinds, changed, signal);
  }

  /** Asks for an object by a version of its API that is served; undefined where it is not there. */
  async #ofStored(ref: ObjectRef, ask: Omit<ApiRequest, 'path'>): Promise<ApiAnswer | undefined> {
    for (let again = false; ; again = true) {
      const kind = await this.discovery.findStored(ref.apiVersion, ref.kind);
      if (!kind) return undefined;
      const answer = await this.transport.send({ ...ask, path: objectPath(kind, ref) });
      // What was known of the kind is no longer true: the version is gone, or all of it.
      if (this.#vanished(answer, kind) && !again) continue;
      return answer.status === 404 ? absent(answer) : answer;
    }
  }

  /** The path itself is gone, so what was discovered is no longer true. */
  #vanished(answer: ApiAnswer, kind: ResourceKind): boolean {
    const gone = pathGone(answer);
    if (gone) this.discovery.forget(kind.apiVersion);
    return gone;
  }
}

const read = (action: string): RequestContext => ({ action, verb: 'read' });

const replaced = (context: RequestContext, uid: string): FailureError =>
  new FailureError({
    class: 'conflict',
    code: 'object-replaced',
    message: `${context.action}: it is another object now, not the one with the uid ${uid}`,
  });
