import type { Instant } from '#kernel';
import type { ConformanceRun } from '#fleet';

export interface TestHistory {
  readonly suite: string;
  readonly test: string;
  readonly failures: number;
  /** Runs of the suite that came to a verdict about tests. */
  readonly runs: number;
  /** Failures per run, 0 to 1. */
  readonly failure_rate: number;
  /** Contents on which it failed in one run and passed in another: such a failure says little about the content. */
  readonly flaked: number;
  readonly last_failed_at: Instant;
}

/** Every test that failed in these runs, the worst first. Tests that never failed are not listed. */
export function flakes(runs: readonly ConformanceRun[]): readonly TestHistory[] {
  const judged = runs.filter(
    (run) => run.verdict === 'pass' || (run.verdict === 'fail' && run.failedTests.length > 0),
  );
  const found: TestHistory[] = [];
  for (const suite of new Set(judged.map((run) => run.suite))) {
    const mine = judged.filter((run) => run.suite === suite);
    for (const test of new Set(mine.flatMap((run) => run.failedTests)))
      found.push(historyOf(suite, test, mine));
  }
  return found.sort((a, b) => b.failures - a.failures || (a.test < b.test ? -1 : 1));
}

function historyOf(suite: string, test: string, runs: readonly ConformanceRun[]): TestHistory {
  const failed = runs.filter((run) => run.failedTests.includes(test));
  const contents = (some: readonly ConformanceRun[]) => new Set(some.map((run) => run.treeDigest));
  const passed = contents(runs.filter((run) => !run.failedTests.includes(test)));
  return {
    suite,
    test,
    failures: failed.length,
    runs: runs.length,
    failure_rate: Math.round((failed.length / runs.length) * 1000) / 1000,
    flaked: [...contents(failed)].filter((digest) => passed.has(digest)).length,
    last_failed_at: Math.max(...failed.map((run) => run.finishedAt ?? run.createdAt)),
  };
}
