import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, seconds, type Duration } from '#kernel';
import type { WatchedKind } from '#ports';
import type { ApiTransport } from './api-transport.js';
import { failureError } from './classify.js';
import { isRecord, parseJson } from './status.js';
import type { RequestContext } from './request-context.js';

const PATHS: Readonly<Record<WatchedKind, string>> = {
  nodes: '/api/v1/nodes',
  pods: '/api/v1/pods',
  jobs: '/apis/batch/v1/jobs',
  poddisruptionbudgets: '/apis/policy/v1/poddisruptionbudgets',
};

/** Only metadata travels; servers that cannot do that send whole objects, which read the same. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const WATCH_SECONDS = 240;
/** Bursts become one call. */
const DEBOUNCE: Duration = milliseconds(50);
/** A watch outlives its last listener a little, because passes come and go. */
const LINGER: Duration = seconds(30);
const BACKOFF: { readonly first: Duration; readonly most: Duration } = {
  first: seconds(1),
  most: seconds(30),
};
const MAX_LINE = 8 * 1024 * 1024;

export interface WatchTrouble {
  readonly kind: WatchedKind;
  readonly code: string;
  readonly message: string;
}

/** One watch per kind of one cluster, shared by all listeners. */
export class WatchHub {
  readonly #watches = new Map<WatchedKind, KindWatch>();

  constructor(
    private readonly transport: ApiTransport,
    private readonly onTrouble: (trouble: WatchTrouble) => void,
    private readonly random: () => number,
  ) {}

  subscribe(kinds: readonly WatchedKind[], changed: (kind: WatchedKind) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    for (const kind of new Set(kinds)) {
      let watch = this.#watches.get(kind);
      if (!watch) {
        watch = new KindWatch(kind, this.transport, this.onTrouble, this.random, () =>
          this.#watches.delete(kind),
        );
        this.#watches.set(kind, watch);
      }
      const leave = watch.add(changed);
      signal.addEventListener('abort', leave, { once: true });
    }
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
  }
}

class KindWatch {
  readonly #listeners = new Set<{ readonly call: (kind: WatchedKind) => void }>();
  readonly #stopped = new AbortController();
  #resourceVersion: string | undefined;
  /** Failed attempts in a row. */
  #failures = 0;
  /** True while listeners may have missed something. */
  #gap = false;
  #linger: NodeJS.Timeout | undefined;
  #pending: NodeJS.Timeout | undefined;

  constructor(
    private readonly kind: WatchedKind,
    private readonly transport: ApiTransport,
    private readonly onTrouble: (trouble: WatchTrouble) => void,
    private readonly random: () => number,
    private readonly ended: () => void,
  ) {
    void this.#run();
  }

  add(call: (kind: WatchedKind) => void): () => void {
    const listener = { call };
    this.#listeners.add(listener);
    clearTimeout(this.#linger);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#linger);
      this.#linger = setTimeout(() => this.stop(), LINGER).unref();
    };
  }

  stop(): void {
    clearTimeout(this.#linger);
    clearTimeout(this.#pending);
    this.#stopped.abort();
    this.ended();
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      let pause: Duration = 0;
      try {
        await this.#round();
        this.#failures = 0;
      } catch (thrown) {
        if (this.#stopped.signal.aborted) return;
        pause = this.#troubled(thrown);
      }
      // Even after a clean end: a server that closes at once must not be hammered.
      const least = milliseconds(100 + 100 * this.random());
      await sleep(Math.max(pause, least), undefined, { signal: this.#stopped.signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  #troubled(thrown: unknown): Duration {
    const { failure } = failureError(thrown, this.#context());
    this.#failures += 1;
    this.#gap = true;
    if (failure.code === 'resource-expired') {
      this.#resourceVersion = undefined;
      return 0;
    }
    this.onTrouble({ kind: this.kind, code: failure.code, message: failure.message });
    const backoff = Math.min(BACKOFF.most, BACKOFF.first * 2 ** (this.#failures - 1));
    return Math.max(failure.retryAfterMs ?? 0, backoff * (0.5 + 0.5 * this.random()));
  }

  /** Lists for a place to start where there is none, then follows the stream until it ends. */
  async #round(): Promise<void> {
    this.#resourceVersion ??= await this.#currentVersion();
    if (this.#gap) this.#notify();
    this.#gap = false;
    const { answer, stream } = await this.transport.open({
      method: 'GET',
      path: PATHS[this.kind],
      query: {
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#resourceVersion,
        timeoutSeconds: String(WATCH_SECONDS),
      },
      accept: METADATA_ONLY,
      context: this.#context(),
      signal: this.#stopped.signal,
    });
    if (!stream) throw failureError(answer, this.#context());
    this.#failures = 0;
    await this.#follow(stream);
  }

  /** The collection's resourceVersion, for the price of one object. */
  async #currentVersion(): Promise<string> {
    const context = this.#context();
    const request = { method: 'GET', path: PATHS[this.kind], query: { limit: '1' }, context } as const;
    const answer = await this.transport.send({ ...request, signal: this.#stopped.signal });
    const list = answer.status === 200 ? parseJson(answer.body) : undefined;
    const version =
      isRecord(list) && isRecord(list['metadata']) ? list['metadata']['resourceVersion'] : undefined;
    if (typeof version === 'string') return version;
    throw failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
  }

  async #follow(stream: IncomingMessage): Promise<void> {
    stream.socket.setKeepAlive(true, seconds(30));
    // The server ends the watch itself; a stream that outlives that is a dead connection.
    const overdue = setTimeout(
      () => stream.destroy(new Error('aborted')),
      seconds(WATCH_SECONDS + 30),
    ).unref();
    let rest = '';
    try {
      stream.setEncoding('utf8');
      for await (const chunk of stream as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#event(line);
        if (rest.length > MAX_LINE) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      }
    } finally {
      clearTimeout(overdue);
      stream.destroy();
    }
  }

  #event(line: string): void {
    if (line.trim() === '') return;
    const event = parseJson(line);
    const object = isRecord(event) && isRecord(event['object']) ? event['object'] : undefined;
    if (!isRecord(event) || !object) return;
    if (event['type'] === 'ERROR') throw this.#streamError(object);
    const version = isRecord(object['metadata']) ? object['metadata']['resourceVersion'] : undefined;
    if (typeof version === 'string') this.#resourceVersion = version;
    if (event['type'] !== 'BOOKMARK') this.#notify();
  }

  #streamError(object: Readonly<Record<string, unknown>>): Error {
    const code = typeof object['code'] === 'number' ? object['code'] : 500;
    const answer = { status: code, headers: {}, body: JSON.stringify(object) };
    // Whatever is wrong with the stream, the place where it stood cannot be trusted.
    this.#resourceVersion = undefined;
    return failureError(answer, this.#context());
  }

  #notify(): void {
    if (this.#pending) return;
    this.#pending = setTimeout(() => {
      this.#pending = undefined;
      for (const listener of this.#listeners) listener.call(this.kind);
    }, DEBOUNCE);
  }

  #context(): RequestContext {
    return { action: `watch ${this.kind}`, verb: 'read' };
  }
}
