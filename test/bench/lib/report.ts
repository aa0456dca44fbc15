import type { Metric } from './metric.js';
import { rounded } from './stats.js';

/** One run: what is committed as the baseline and written as the latest result. */
export interface BenchReport {
  readonly at: string;
  readonly node: string;
  /** Milliseconds of the calibration loop in this run; see `calibrate`. */
  readonly calibrationMs: number;
  readonly metrics: readonly Metric[];
}

export type Verdict = 'new' | 'ok' | 'better' | 'worse';

export interface ComparedMetric extends Metric {
  /** This run against the baseline, 1 where both are alike; machine speed taken out for CPU figures. */
  readonly ratio?: number;
  readonly verdict: Verdict;
  readonly missesTarget: boolean;
}

const WORSE = 1.5;
const BETTER = 1 / WORSE;

export function compare(report: BenchReport, baseline: BenchReport | undefined): readonly ComparedMetric[] {
  return report.metrics.map((metric) => {
    const missesTarget = metric.target !== undefined && !(metric.value <= metric.target);
    const before = baseline?.metrics.find(({ name }) => name === metric.name);
    if (!baseline || !before) return { ...metric, verdict: 'new', missesTarget };
    const speed = metric.kind === 'cpu' ? report.calibrationMs / baseline.calibrationMs : 1;
    const expected = before.value * speed;
    const within = Math.abs(metric.value - expected) <= (metric.noise ?? 0);
    const ratio =
      expected === 0 ? (metric.value === 0 ? 1 : Number.POSITIVE_INFINITY) : metric.value / expected;
    const failed = Number.isNaN(metric.value);
    const verdict =
      failed || (!within && ratio > WORSE) ? 'worse' : !within && ratio < BETTER ? 'better' : 'ok';
    return { ...metric, ratio: rounded(ratio), verdict, missesTarget };
  });
}

export function table(rows: readonly ComparedMetric[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${rounded(row.value)} ${row.unit}`,
    row.target === undefined ? '' : `${row.missesTarget ? 'MISSES ' : ''}<= ${row.target}`,
    row.ratio === undefined ? '' : `x${row.ratio.toFixed(2)}`,
    row.verdict === 'ok' ? '' : row.verdict,
    row.note ?? '',
  ]);
  const head = ['figure', 'value', 'target', 'baseline', '', 'note'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] as string).length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}
