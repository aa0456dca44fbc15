/**
 * What a figure depends on, which says how two runs compare:
 * `cpu` on the speed of the machine (divided by the calibration of its own run), `count` on the code alone,
 * `memory` on the code alone, `clock` mostly on timers and simulated boot times (compared as it is).
 */
export type MetricKind = 'cpu' | 'clock' | 'memory' | 'count';

/** One figure; less is better for all of them. */
export interface Metric {
  /** `<suite>.<what>`, stable: the baseline knows it by this name. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly kind: MetricKind;
  /** What the product promises; absent for figures that are only watched. */
  readonly target?: number;
  /** Differences below this are noise, whatever the ratio: in the figure's unit. */
  readonly noise?: number;
  readonly note?: string;
}

export interface SuiteContext {
  /** A line for people who wait. */
  readonly say: (text: string) => void;
  readonly calibration: () => number;
}

export type Suite = (context: SuiteContext) => Promise<readonly Metric[]>;

/** The better of two measurements of the same figures, figure by figure. */
export function better(first: readonly Metric[], second: readonly Metric[]): readonly Metric[] {
  return first.map((one) => {
    const other = second.find(({ name }) => name === one.name);
    return other && (other.value < one.value || Number.isNaN(one.value)) ? other : one;
  });
}
