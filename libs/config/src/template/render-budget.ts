import { LimitError } from './errors.js';

/** What all files of one render may use together. A large real configuration takes a hundredth of it. */
export interface RenderLimits {
  readonly steps: number;
  readonly allocatedBytes: number;
  /** Beyond the bytes of the tree. */
  readonly outputBytes: number;
}

const RENDER_LIMITS: RenderLimits = {
  steps: 2_000_000,
  allocatedBytes: 128 * 1024 * 1024,
  outputBytes: 16 * 1024 * 1024,
};

export interface RenderBudgetOptions {
  readonly limits?: Partial<RenderLimits> | undefined;
  /** Called now and then; throws a LimitError to end the render. */
  readonly checkpoint?: (() => void) | undefined;
  /** Told of each file before work on it begins. */
  readonly progress?: ((file: string) => void) | undefined;
}

/** What ended a render before all its files were rendered. */
export interface Spent {
  readonly file: string;
  readonly reason: string;
}

/**
 * One budget for all files of a render, so that many hostile files take no longer than one. Once it is spent, no further
 * file is begun.
 */
export class RenderBudget {
  private readonly limits: RenderLimits;
  private steps = 0;
  private allocated = 0;
  private written = 0;
  private file = '';
  private end: Spent | undefined;
  private readonly left = new Set<string>();

  constructor(
    treeBytes: number,
    private readonly options: RenderBudgetOptions = {},
  ) {
    const limits = { ...RENDER_LIMITS, ...options.limits };
    this.limits = { ...limits, outputBytes: limits.outputBytes + treeBytes };
  }

  /** Undefined while work may go on. */
  get spent(): Spent | undefined {
    return this.end;
  }

  /** Files that were not begun because the budget was spent. */
  get skipped(): readonly string[] {
    return [...this.left].sort();
  }

  /** Whether work on the file may begin. */
  begin(file: string): boolean {
    if (this.end) {
      if (file !== this.end.file) this.left.add(file);
      return false;
    }
    this.file = file;
    this.options.progress?.(file);
    return true;
  }

  step(count: number): void {
    this.steps += count;
    if (this.steps > this.limits.steps)
      this.stop(`the files of the revision together take more than ${this.limits.steps} steps`);
    this.check();
  }

  allocate(bytes: number): void {
    this.allocated += bytes;
    if (this.allocated > this.limits.allocatedBytes)
      this.stop(`values of all files together take more than ${this.limits.allocatedBytes} bytes`);
  }

  write(bytes: number): void {
    this.written += bytes;
    if (this.written > this.limits.outputBytes)
      this.stop(`all files together are longer than ${this.limits.outputBytes} bytes`);
  }

  /** To be called between pieces of work that are not counted in steps. */
  check(): void {
    try {
      this.options.checkpoint?.();
    } catch (error) {
      if (error instanceof LimitError) this.end ??= { file: this.file, reason: error.message };
      throw error;
    }
  }

  private stop(reason: string): never {
    this.end ??= { file: this.file, reason };
    throw new LimitError(reason);
  }
}
