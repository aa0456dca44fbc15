import https from 'node:https';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { digestOfValue } from '#kernel';
import type { KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';
import { CountingProxy, type CountedRequest } from '../support/counting-proxy.js';
import { eventually } from '../support/eventually.js';
import { configMap, StepsBed, type ComponentInput } from '../support/steps-bed.js';
import type { TestWebhook } from '../support/webhook-server.js';
import { ContractSpace } from './kubernetes-adapter.fixture.js';
import type { KubernetesTarget } from './kubernetes-adapter.contract.js';

export interface StepsTarget extends KubernetesTarget {
  /** Makes the API server ask it; returns its removal. It may take a moment until it is asked. */
  addWebhook(hook: TestWebhook): Promise<() => Promise<void>>;
}

type Versioned = KubernetesObject & { readonly status?: unknown };

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
};

/** The steps of the engine on an API server, in a namespace of their own, and hands that write beside them. */
export class StepsSpace {
  readonly ns: string;
  readonly id: string;
  readonly port: KubernetesPort;
  readonly #undo: (() => Promise<unknown>)[] = [];
  /** Whether controllers run. */
  #controlled: boolean | undefined;

  private constructor(
    readonly space: ContractSpace,
    readonly bed: StepsBed,
    private readonly proxy: CountingProxy,
    private readonly target: StepsTarget,
  ) {
    ({ ns: this.ns, id: this.id, port: this.port } = space);
  }

  static async open(target: StepsTarget): Promise<StepsSpace> {
    const space = await ContractSpace.open(target.kubeconfig);
    const proxy = await CountingProxy.before(target.kubeconfig);
    const bed = await StepsBed.on({ kubeconfig: () => proxy.kubeconfig(), server: proxy.url });
    return new StepsSpace(space, bed, proxy, target);
  }

  async close(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
    const parent = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'fairway' };
    await this.port.delete(parent, {});
    await this.bed.close();
    await this.proxy.close();
    await this.space.close();
  }

  /** What the steps asked of the API server, discovery aside. */
  requests(since = 0): readonly CountedRequest[] {
    return this.proxy.requests.slice(since).filter(({ path }) => !/^\/(api|apis\/[^/]+)\/[^/]+$/.test(path));
  }

  get requestCount(): number {
    return this.proxy.requests.length;
  }

  map = (name: string, data: Record<string, string> = { a: '1' }): KubernetesObject =>
    configMap(name, data, this.ns);

  maps = (from: number, to: number): readonly KubernetesObject[] =>
    Array.from({ length: to - from }, (_, at) => this.map(`m-${from + at}`));

  deployment(name: string, image = 'registry.example.org/a:1'): KubernetesObject {
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: this.ns },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] },
        },
      },
    };
  }

  async settled(components: readonly ComponentInput[]) {
    this.bed.commit(components);
    const result = await this.bed.settle();
    if (result.manifests.kind !== 'done') throw new Error(JSON.stringify(result.manifests));
    return result;
  }

  live = (apiVersion: string, kind: string, name: string): Promise<KubernetesObject | undefined> =>
    this.port.get({ apiVersion, kind, namespace: this.ns, name });

  /** Names of the ConfigMaps here that carry our labels. */
  async ours(): Promise<readonly string[]> {
    const selector = { namespace: this.ns, labelSelector: 'app.kubernetes.io/managed-by=fairway' };
    const found = await this.port.list({ apiVersion: 'v1', kind: 'ConfigMap' }, selector);
    return found.map(({ metadata }) => metadata.name).sort();
  }

  /** What the steps wrote to the API server. */
  writes(since: number): readonly CountedRequest[] {
    return this.requests(since).filter(({ method, dryRun }) => method !== 'GET' && !dryRun);
  }

  /**
   * Versions of everything of these kinds here: equal ones mean that nothing was written. Where controllers run, they write
   * status and annotations when they like: there it is what the objects ask for.
   */
  async versions(...kinds: readonly (readonly [string, string])[]): Promise<readonly string[]> {
    // A controller puts it into every namespace.
    const trace = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'kube-root-ca.crt' };
    this.#controlled ??= (await this.port.get(trace)) !== undefined;
    const lists = await Promise.all(
      kinds.map(([apiVersion, kind]) => this.port.list({ apiVersion, kind }, { namespace: this.ns })),
    );
    return lists.flat().map(({ metadata, status: _status, ...asked }: Versioned) => {
      const version = this.#controlled ? digestOfValue(asked) : metadata.resourceVersion;
      return `${asked.kind}/${metadata.name}@${version}`;
    });
  }

  /** A write beside Fairway. `path`: below the server's URL. */
  async patch(
    path: string,
    type: keyof typeof PATCH_TYPES,
    body: unknown,
    manager = 'kubectl-edit',
  ): Promise<void> {
    await this.#send('PATCH', `${path}?fieldManager=${manager}`, PATCH_TYPES[type], body);
  }

  async post(path: string, body: unknown, manager: string): Promise<void> {
    await this.#send('POST', `${path}?fieldManager=${manager}`, 'application/json', body);
  }

  configMapPath = (name: string): string => `/api/v1/namespaces/${this.ns}/configmaps/${name}`;
  deploymentPath = (name: string): string => `/apis/apps/v1/namespaces/${this.ns}/deployments/${name}`;

  /** Waits until the hook is asked, which `proof` tells. */
  async addWebhook(hook: TestWebhook, proof: () => Promise<boolean>): Promise<() => Promise<void>> {
    const remove = await this.target.addWebhook(hook);
    this.#undo.push(remove);
    await eventually(proof, `${hook.name} is asked`);
    return remove;
  }

  later(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async #send(method: string, path: string, contentType: string, body: unknown): Promise<void> {
    const { config } = this.space;
    const url = new URL(`${config.getCurrentCluster()?.server}${path}`);
    const options: https.RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const data = JSON.stringify(body);
    const headers = { ...(options.headers as object), 'content-type': contentType };
    const client = url.protocol === 'https:' ? https : http;
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const sent = client.request(url, { ...options, method, headers, agent: false }, resolve);
      sent.once('error', reject).end(data);
    });
    const said = await text(answer);
    if ((answer.statusCode ?? 500) >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${said}`);
  }
}
