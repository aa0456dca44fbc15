import { LimitError } from './errors.js';
import type { RenderBudget } from './render-budget.js';

/** What one execution may use. */
export interface TemplateLimits {
  /** Nodes evaluated. */
  readonly steps: number;
  readonly outputBytes: number;
  /** Bytes of all strings and lists that functions make, whether or not they are written. */
  readonly allocatedBytes: number;
  /** Templates within templates. */
  readonly templateDepth: number;
  /** Nested blocks and parentheses of the text. */
  readonly nesting: number;
}

export const DEFAULT_LIMITS: TemplateLimits = {
  steps: 500_000,
  outputBytes: 4 * 1024 * 1024,
  allocatedBytes: 32 * 1024 * 1024,
  templateDepth: 500,
  nesting: 300,
};

const CHECK_EVERY = 1024;

/**
 * Counts what an execution uses, and tells `shared` what the whole render has used. The brain has no clock: `checkpoint` is
 * called now and then and may throw a {@link LimitError}.
 */
export class Budget {
  private steps = 0;
  private unchecked = 0;
  private allocated = 0;
  private written = 0;

  constructor(
    readonly limits: TemplateLimits,
    private readonly checkpoint?: () => void,
    private readonly shared?: RenderBudget,
  ) {}

  /** `count` stands for work that is done at once and takes as long. */
  step(count = 1): void {
    this.steps += count;
    this.unchecked += count;
    if (this.steps > this.limits.steps) {
      throw new LimitError(`evaluation takes more than ${this.limits.steps} steps`);
    }
    if (this.unchecked < CHECK_EVERY) return;
    this.settle();
    this.checkpoint?.();
  }

  /** Charges the render with what is not yet charged; to be called at the end. */
  settle(): void {
    const { unchecked } = this;
    this.unchecked = 0;
    this.shared?.step(unchecked);
  }

  /** To be called before the bytes are made. */
  allocate(bytes: number): void {
    this.allocated += bytes;
    if (this.allocated > this.limits.allocatedBytes) {
      throw new LimitError(`values take more than ${this.limits.allocatedBytes} bytes`);
    }
    this.shared?.allocate(bytes);
  }

  write(bytes: number): void {
    this.written += bytes;
    if (this.written > this.limits.outputBytes) {
      throw new LimitError(`output is longer than ${this.limits.outputBytes} bytes`);
    }
    this.shared?.write(bytes);
  }
}
