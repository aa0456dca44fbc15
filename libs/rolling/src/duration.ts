/** All times in one unit of the caller's choice. */
export interface RollShape {
  /** Nodes to replace. */
  readonly n: number;
  /** Surge. */
  readonly s: number;
  /** Nodes that may be unavailable. */
  readonly u: number;
  /** Parallel drains. */
  readonly p: number;
  /** Boot until Initialised. */
  readonly b: number;
  /** Drain plus terminate. */
  readonly e: number;
}

/**
 * The shortest possible time of a roll of equal nodes (rolling.md, "Duration"). `k[i]` is when the i-th old node is gone,
 * `l[i]` when the i-th new one is launched: a launch waits for surge that a termination sets free, a drain waits for
 * the new node that takes its place and for a drain slot. T = max(k_N, l_N + b).
 */
export function rollDuration({ n, s, u, p, b, e }: RollShape): number {
  if (n <= 0) return 0;
  if (s <= 0 && u <= 0) return Number.POSITIVE_INFINITY;
  const gone: number[] = [0];
  const launched: number[] = [0];
  for (let i = 1; i <= n; i += 1) {
    if (s > 0) launched[i] = i <= s ? 0 : (gone[i - s] ?? 0);
    const place = i > u ? (launched[i - u] ?? 0) + b : 0;
    const slot = i > p ? (gone[i - p] ?? 0) : 0;
    gone[i] = e + Math.max(0, place, slot);
    // Without surge the group launches the replacement when the old node is gone.
    if (s <= 0) launched[i] = gone[i] ?? 0;
  }
  return Math.max(gone[n] ?? 0, (launched[n] ?? 0) + b);
}

/** `max_surge: auto`: boot time is hidden completely when ⌈(b+e)/e⌉ nodes are ahead; at most max(3, 10 %). */
export function automaticSurge(nodes: number, bootMs: number, drainMs: number): number {
  const hides = Math.ceil((bootMs + drainMs) / Math.max(1, drainMs));
  return Math.max(1, Math.min(hides, Math.max(3, Math.ceil(nodes / 10))));
}
