import type { ObjectStore } from '../kubernetes/api/store.js';
import { ApiFaults } from './api-faults.js';
import { CallLog } from './call-log.js';

/** What `/version` says. */
export interface ClusterVersion {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
}

const DEFAULT_VERSION = 'v1.36.1';

/** A call of a deprecated API that somebody made since the API server started. */
export interface DeprecatedCall {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** `1.32`; empty where no removal is planned. */
  readonly removedRelease: string;
}

/** One cluster as its API shows it: storage, call log, faults. The wire serves it; controllers live beside the store. */
export class SimulatedCluster {
  readonly id: string;
  readonly store: ObjectStore;
  readonly calls = new CallLog();
  readonly faults = new ApiFaults();
  /** What `apiserver_requested_deprecated_apis` counts. */
  readonly deprecatedCalls: DeprecatedCall[] = [];
  #gitVersion: string;

  constructor(options: { readonly id: string; readonly store: ObjectStore; readonly version?: string }) {
    this.id = options.id;
    this.store = options.store;
    this.#gitVersion = options.version ?? DEFAULT_VERSION;
  }

  /** `v1.36.1`. Set it when masters of another version take over. */
  get gitVersion(): string {
    return this.#gitVersion;
  }

  set gitVersion(version: string) {
    this.#gitVersion = version;
  }

  get version(): ClusterVersion {
    const [, major = '1', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(this.#gitVersion) ?? [];
    return { major, minor, gitVersion: this.#gitVersion };
  }

  /** Before any master serves, the load balancer in front answers 503 with HTML. */
  set unavailable(unavailable: boolean) {
    this.faults.outage = unavailable ? 'unavailable' : 'none';
  }

  get unavailable(): boolean {
    return this.faults.outage === 'unavailable';
  }
}
