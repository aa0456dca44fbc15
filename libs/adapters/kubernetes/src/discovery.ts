import { FailureError, minutes, type Clock, type Duration, type Instant } from '#kernel';
import type { ApiTransport } from './api-transport.js';
import { failureError } from './classify.js';
import { isRecord, parseJson, type ApiAnswer } from './status.js';
import type { RequestContext } from './request-context.js';

export interface ResourceKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Plural, as in paths. */
  readonly resource: string;
  readonly namespaced: boolean;
}

interface Group {
  readonly kinds: ReadonlyMap<string, ResourceKind>;
  readonly readAt: Instant;
}

/** Kinds do not change under a name, but clusters are upgraded while we live. */
const KEEP: Duration = minutes(10);

/**
 * Which path serves which kind; one request per group and version, when first needed. A miss reads once more, because a
 * CRD may have been created a moment ago.
 */
export class Discovery {
  readonly #groups = new Map<string, Group>();
  readonly #reading = new Map<string, Promise<Group>>();

  constructor(
    private readonly transport: ApiTransport,
    private readonly clock: Clock,
  ) {}

  /** Undefined where the cluster does not serve the kind. */
  async find(apiVersion: string, kind: string): Promise<ResourceKind | undefined> {
    const cached = this.#groups.get(apiVersion);
    const fresh = cached !== undefined && this.clock.now() - cached.readAt < KEEP ? cached : undefined;
    return fresh?.kinds.get(kind) ?? (await this.#read(apiVersion)).kinds.get(kind);
  }

  /**
   * As `find`, for objects that may exist already: where that version of the API is not served, another one of its group.
   * A cluster's upgrade takes versions away and leaves the objects.
   */
  async findStored(apiVersion: string, kind: string): Promise<ResourceKind | undefined> {
    const found = await this.find(apiVersion, kind);
    const [group, version] = apiVersion.split('/');
    if (found || group === undefined || version === undefined) return found;
    for (const other of await this.#versionsOf(group)) {
      const served = other === apiVersion ? undefined : await this.find(other, kind);
      if (served) return served;
    }
    return undefined;
  }

  async require(apiVersion: string, kind: string): Promise<ResourceKind> {
    const found = await this.find(apiVersion, kind);
    if (found) return found;
    throw kindUnknown(apiVersion, kind);
  }

  /** After a 404 on the path itself: what is cached is no longer true. */
  forget(apiVersion: string): void {
    this.#groups.delete(apiVersion);
  }

  #read(apiVersion: string): Promise<Group> {
    const running = this.#reading.get(apiVersion);
    if (running) return running;
    const reading = this.#fetch(apiVersion)
      .then((group) => {
        this.#groups.set(apiVersion, group);
        return group;
      })
      .finally(() => this.#reading.delete(apiVersion));
    this.#reading.set(apiVersion, reading);
    return reading;
  }

  /** `group/version`s that are served, the newest first as the API server sorts them; none of a group that is not there. */
  async #versionsOf(group: string): Promise<readonly string[]> {
    const context: RequestContext = { action: `discover ${group}`, verb: 'read' };
    const answer = await this.transport.send({ method: 'GET', path: `/apis/${group}`, context });
    if (isAbsent(answer)) return [];
    const found = answer.status === 200 ? parseJson(answer.body) : undefined;
    if (!isRecord(found) || !Array.isArray(found['versions'])) {
      throw failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
    }
    return found['versions'].filter(isRecord).map((one) => String(one['groupVersion']));
  }

  async #fetch(apiVersion: string): Promise<Group> {
    const context: RequestContext = { action: `discover ${apiVersion}`, verb: 'read' };
    if (!/^([a-z0-9.-]+\/)?[a-z0-9]+$/.test(apiVersion)) {
      throw new FailureError({
        class: 'invalid',
        code: 'kind-unknown',
        message: `${apiVersion} is no apiVersion`,
      });
    }
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const answer = await this.transport.send({ method: 'GET', path, context });
    const list = parseJson(answer.body);
    const served = isRecord(list) && list['kind'] === 'APIResourceList' && Array.isArray(list['resources']);
    if (answer.status === 200 && served) {
      return {
        kinds: kindsOf(apiVersion, list['resources'] as readonly unknown[]),
        readAt: this.clock.now(),
      };
    }
    if (isAbsent(answer)) return { kinds: new Map(), readAt: this.clock.now() };
    throw failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
  }
}

/** A group that is not served is answered with a Status, or with "404 page not found" in plain text. */
const isAbsent = ({ status, body }: ApiAnswer): boolean =>
  status === 404 && (isRecord(parseJson(body)) || body.startsWith('404 page not found'));

function kindsOf(apiVersion: string, resources: readonly unknown[]): ReadonlyMap<string, ResourceKind> {
  const kinds = new Map<string, ResourceKind>();
  for (const entry of resources) {
    if (!isRecord(entry) || typeof entry['name'] !== 'string' || typeof entry['kind'] !== 'string') continue;
    // `pods/eviction` and other subresources carry kinds of their own.
    if (entry['name'].includes('/')) continue;
    const kind = entry['kind'];
    kinds.set(kind, { apiVersion, kind, resource: entry['name'], namespaced: entry['namespaced'] === true });
  }
  return kinds;
}

export const kindUnknown = (apiVersion: string, kind: string): FailureError =>
  new FailureError({
    class: 'invalid',
    code: 'kind-unknown',
    message: `the cluster does not serve ${apiVersion} ${kind}`,
    hint: 'The CRD is missing or not established yet, or this version of the API was removed.',
  });
