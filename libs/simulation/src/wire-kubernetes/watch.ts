import { ApiError, badRequest, invalid, toStatus } from '../kubernetes/api/api-error.js';
import type { KubeObject } from '../kubernetes/api/object.js';
import { apiVersionOf, resourceName } from '../kubernetes/api/resource-type.js';
import { predicateOf } from '../kubernetes/api/selectors.js';
import type { StoreEvent } from '../kubernetes/api/store.js';
import type { Exchange } from './exchange.js';
import { inVersion } from './representation.js';
import type { ResourceTarget } from './route.js';
import { tableOf, wantsTable } from './table.js';

type WatchType = StoreEvent['type'];

const BOOKMARK_INTERVAL = 15_000;
const DEFAULT_TIMEOUT_SECONDS = 1800;
/** A client that does not read is cut off instead of filling our memory. */
const MAX_BUFFERED = 64 * 1024 * 1024;

/** Streams changes as JSON lines until the client leaves, the time is over or an outage begins. */
export function serveWatch(exchange: Exchange, target: ResourceTarget): void {
  const watch = new WatchStream(exchange, target);
  watch.start();
}

class WatchStream {
  readonly #matches: (object: KubeObject) => boolean;
  readonly #resource: string;
  readonly #ends: (() => void)[] = [];
  readonly #table: boolean;
  readonly #bookmarks: boolean;
  #columnsSent = false;
  #closed = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly target: ResourceTarget,
  ) {
    this.#resource = resourceName(target.type);
    this.#table = wantsTable(exchange.request);
    this.#bookmarks = exchange.query.get('allowWatchBookmarks') === 'true';
    const fields = [
      exchange.query.get('fieldSelector'),
      target.name === undefined ? '' : `metadata.name=${target.name}`,
    ];
    const selects = predicateOf(target.type.resource, {
      labelSelector: exchange.query.get('labelSelector') ?? '',
      fieldSelector: fields.filter(Boolean).join(','),
    });
    const { namespace } = target;
    this.#matches = (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) && selects(object);
  }

  start(): void {
    const { query, response, cluster } = this.exchange;
    const version = query.get('resourceVersion') ?? '';
    if (version !== '' && !/^\d+$/.test(version))
      throw badRequest(`Invalid value: "${version}": resourceVersion`);
    const initial = this.wantsInitialEvents();
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
    response.flushHeaders();
    // Subscribed before the past is read: both happen in one turn, so nothing falls between.
    this.#ends.push(cluster.store.subscribe((event) => this.onEvent(event)));
    this.#ends.push(cluster.faults.onOutage((outage) => outage !== 'none' && response.destroy()));
    response.on('close', () => this.close());
    if (initial || (initial === undefined && (version === '' || version === '0')))
      this.replayState(initial === true);
    else if (version !== '' && version !== '0') this.replayHistory(Number(version));
    this.startTimers();
  }

  /** `sendInitialEvents`: true streams the state and marks its end; undefined leaves it to resourceVersion. */
  private wantsInitialEvents(): boolean | undefined {
    const { query } = this.exchange;
    const given = query.get('sendInitialEvents');
    if (given === null) return undefined;
    if (query.get('resourceVersionMatch') !== 'NotOlderThan') {
      throw invalid('ListOptions', 'meta.k8s.io', '', [
        {
          reason: 'FieldValueForbidden',
          field: 'resourceVersionMatch',
          message: 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        },
      ]);
    }
    return given === 'true';
  }

  private replayState(markEnd: boolean): void {
    const { namespace } = this.target;
    const options = namespace === undefined ? {} : { namespace };
    for (const object of this.exchange.cluster.store.list(this.#resource, options)) {
      if (this.#matches(object)) this.send('ADDED', object);
    }
    if (markEnd) this.bookmark({ 'k8s.io/initial-events-end': 'true' });
  }

  private replayHistory(revision: number): void {
    const { store } = this.exchange.cluster;
    try {
      if (revision > store.revision) {
        const text = `Too large resource version: ${revision}, current: ${store.revision}`;
        throw new ApiError(504, 'Timeout', text, {
          retryAfterSeconds: 1,
          details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
        });
      }
      for (const event of store.changesSince(this.#resource, revision)) this.onEvent(event);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.write({ type: 'ERROR', object: toStatus(error) });
      this.end();
    }
  }

  private onEvent(event: StoreEvent): void {
    if (resourceName(event.resource) !== this.#resource) return;
    const was = event.old !== undefined && this.#matches(event.old);
    const is = event.type !== 'DELETED' && this.#matches(event.object);
    if (is) this.send(was ? 'MODIFIED' : 'ADDED', event.object);
    else if (was && event.type === 'DELETED') this.send('DELETED', event.object);
    else if (was) {
      // It left the selection: the last matching state, under the revision of the change.
      const { resourceVersion } = event.object.metadata;
      const old = event.old as KubeObject;
      this.send('DELETED', { ...old, metadata: { ...old.metadata, resourceVersion } });
    }
  }

  private send(type: WatchType, object: KubeObject): void {
    if (!this.#table) {
      this.write({ type, object: inVersion(object, this.target.type) });
      return;
    }
    const table = tableOf(
      this.exchange,
      this.target.type,
      [object],
      object.metadata.resourceVersion,
      !this.#columnsSent,
    );
    this.#columnsSent = true;
    this.write({ type, object: table });
  }

  private bookmark(annotations?: Record<string, string>): void {
    const { type } = this.target;
    const resourceVersion = String(this.exchange.cluster.store.revision);
    const metadata = { resourceVersion, creationTimestamp: null, ...(annotations && { annotations }) };
    const object = this.#table
      ? {
          kind: 'Table',
          apiVersion: 'meta.k8s.io/v1',
          metadata: { resourceVersion },
          columnDefinitions: [],
          rows: [],
        }
      : { kind: type.kind, apiVersion: apiVersionOf(type), metadata };
    this.write({ type: 'BOOKMARK', object });
  }

  private write(line: unknown): void {
    const { response } = this.exchange;
    if (this.#closed || response.writableEnded || response.destroyed) return;
    response.write(`${JSON.stringify(line)}\n`);
    if (response.writableLength > MAX_BUFFERED) response.destroy();
  }

  private startTimers(): void {
    const seconds = Number(this.exchange.query.get('timeoutSeconds') ?? 0) || DEFAULT_TIMEOUT_SECONDS;
    const timeout = setTimeout(() => this.finish(), seconds * 1000).unref();
    this.#ends.push(() => clearTimeout(timeout));
    if (!this.#bookmarks) return;
    const ticks = setInterval(() => this.bookmark(), BOOKMARK_INTERVAL).unref();
    this.#ends.push(() => clearInterval(ticks));
  }

  private finish(): void {
    if (this.#bookmarks) this.bookmark();
    this.end();
  }

  private end(): void {
    this.exchange.response.end();
    this.close();
  }

  private close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#ends.splice(0)) end();
  }
}
