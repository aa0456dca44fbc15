import type { Progress } from '#kernel';

export interface ConformanceProgress extends Progress {
  readonly failed: number;
}

const WILL_RUN = /^Will run (\d+) of \d+ specs/gim;
const RAN = /^Ran (\d+) of \d+ Specs in/gm;
/** JSON lines of the progress reporter. Source: kubernetes test/e2e/reporters. */
const REPORT = /"total":(\d+),"completed":(\d+),"skipped":\d+,"failed":(\d+)/g;

/** How far a run is, from the log of its tests; undefined while it says nothing of it. */
export function conformanceProgress(log: string): ConformanceProgress | undefined {
  const report = lastMatch(log, REPORT);
  if (report !== undefined) return progress(Number(report[2]), Number(report[1]), Number(report[3]));
  const total = lastMatch(log, WILL_RUN);
  if (total?.[1] === undefined) return undefined;
  const failed = log.match(/\[FAIL(?:ED)?\]/g)?.length ?? 0;
  const ran = lastMatch(log, RAN);
  // Ginkgo prints one bullet for every spec that ran.
  const done = ran?.[1] === undefined ? (log.match(/•/g)?.length ?? 0) : Number(ran[1]);
  return progress(done, Number(total[1]), failed);
}

const progress = (done: number, total: number, failed: number): ConformanceProgress => ({
  done: Math.min(done, total),
  total,
  failed: Math.min(failed, total),
  unit: 'tests',
});

function lastMatch(text: string, pattern: RegExp): RegExpMatchArray | undefined {
  let last: RegExpMatchArray | undefined;
  for (const match of text.matchAll(pattern)) last = match;
  return last;
}
