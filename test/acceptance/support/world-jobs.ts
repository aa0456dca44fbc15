import { minutes, type Instant } from '#kernel';
import type { KubernetesObject, ObjectRef } from '#fleet';
import type { KubernetesPort } from '#ports';
import { frameJUnit } from '#promotion';
import type { MemoryGit } from './memory-git.js';
import type { MemoryStores } from './memory-stores.js';
import { VERSION } from './world-clusters.js';

const JOB_TAKES = minutes(10);

/** Conformance Jobs that take their time; one test fails where the content says `broken` in `cluster/conformance.yaml`. */
export class WorldJobs {
  private readonly jobs = new Map<string, { readonly run: KubernetesObject; readonly at: Instant }>();

  constructor(
    private readonly stores: MemoryStores,
    private readonly git: MemoryGit,
    private readonly now: () => Instant,
  ) {}

  /** When those that were begun are over. */
  get ends(): readonly Instant[] {
    return [...this.jobs.values()].map(({ at }) => at + JOB_TAKES);
  }

  /** A cluster whose Jobs take ten minutes and print real results. */
  of(clusterId: string): KubernetesPort {
    const key = (ref: ObjectRef | KubernetesObject): string =>
      `${clusterId} ${'metadata' in ref ? ref.metadata.name : ref.name}`;
    const finished = (name: string): boolean => {
      const job = this.jobs.get(`${clusterId} ${name}`);
      return job !== undefined && this.now() >= job.at + JOB_TAKES;
    };
    const port: Partial<KubernetesPort> = {
      serverVersion: async () => VERSION,
      apply: async (object) => {
        if (object.kind === 'Job' && !this.jobs.has(key(object)))
          this.jobs.set(key(object), { run: object, at: this.now() });
        return object;
      },
      get: async (ref) => {
        const job = this.jobs.get(key(ref));
        if (!job) return undefined;
        const conditions = finished(ref.name) ? [{ type: 'Complete', status: 'True' }] : [];
        return { ...job.run, status: { conditions } } as unknown as KubernetesObject;
      },
      list: async (kind, options) => {
        if (kind.kind !== 'Pod') return [];
        const name = options?.namespace ?? '';
        const terminated = {
          name: 'conformance',
          state: { terminated: { exitCode: this.isBroken(clusterId) ? 1 : 0 } },
        };
        return [
          {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: `${name}-pod`, namespace: name },
            spec: { containers: [{ name: 'conformance', env: [] }] },
            status: { containerStatuses: finished(name) ? [terminated] : [] },
          } as unknown as KubernetesObject,
        ];
      },
      podLog: async () => this.resultsOf(clusterId),
      delete: async (ref) => this.jobs.delete(key(ref)),
    };
    return port as KubernetesPort;
  }

  private isBroken(clusterId: string): boolean {
    const commit = this.stores.runtimeById.get(clusterId)?.status?.currentVersion;
    return commit !== undefined && this.git.file(commit, 'cluster/conformance.yaml') === 'broken\n';
  }

  private resultsOf(clusterId: string): string {
    const broken = this.isBroken(clusterId);
    const cases = Array.from({ length: 5 }, (_, index) =>
      broken && index === 2
        ? `<testcase name="[sig-network] DNS should resolve"><failure>no answer</failure></testcase>`
        : `<testcase name="[sig-node] test ${index}"/>`,
    );
    return frameJUnit(
      'junit_01.xml',
      `<testsuites><testsuite name="e2e">${cases.join('')}</testsuite></testsuites>`,
    );
  }
}
