import { parseDuration, seconds, type Duration, type Instant } from '#kernel';
import type { Container, Pod } from '../controllers/objects.js';

export const ANNOTATIONS = {
  readyAfter: 'sim.fairway.dev/ready-after',
  stopAfter: 'sim.fairway.dev/stop-after',
  runFor: 'sim.fairway.dev/run-for',
  exitCode: 'sim.fairway.dev/exit-code',
  /** `"true"` on a living pod makes it unready until the annotation goes. */
  unready: 'sim.fairway.dev/unready',
} as const;

/** What a container's program may do. Everything planned ends with the container. */
export interface ContainerProcess {
  readonly pod: Pod;
  readonly container: Container;
  /** Shared by the containers of one pod, like an emptyDir; gone with it. */
  readonly scratch: Map<string, string>;
  now(): Instant;
  after(delay: Duration, fn: () => void): void;
  log(line: string): void;
  exit(code: number): void;
}

/** Behaviour behind an image. The first program that matches runs; see `sleeper` for the rest. */
export interface ContainerProgram {
  readonly name: string;
  matches(pod: Pod, container: Container): boolean;
  run(process: ContainerProcess): void;
}

export const annotatedDuration = (pod: Pod, annotation: string): Duration | undefined =>
  parseDuration(pod.metadata.annotations?.[annotation] ?? '');

const runsToCompletion = (pod: Pod): boolean =>
  pod.metadata.ownerReferences?.some((owner) => owner.kind === 'Job') === true;

/** Any image: runs for ever, or for the annotated time (Jobs: a few seconds), then exits with the annotated code. */
export const sleeper: ContainerProgram = {
  name: 'sleeper',
  matches: () => true,
  run(process) {
    const { pod, container } = process;
    process.log(`${container.name}: started ${container.image}`);
    const time =
      annotatedDuration(pod, ANNOTATIONS.runFor) ?? (runsToCompletion(pod) ? seconds(5) : undefined);
    if (time === undefined) return;
    const code = Number(pod.metadata.annotations?.[ANNOTATIONS.exitCode] ?? 0);
    process.after(time, () => {
      process.log(`${container.name}: exits with ${code}`);
      process.exit(code);
    });
  },
};
