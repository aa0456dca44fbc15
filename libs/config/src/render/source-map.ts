/**
 * From a line of rendered text back to the line of the template that wrote it. Chunks are pieces of output, each with
 * the byte of the template at which its text or action begins.
 */
export interface Chunk {
  /** First byte in the output. */
  readonly out: number;
  /** Byte in the template. */
  readonly source: number;
  /** Whether the chunk is the template's own text, so that lines inside it go on in step. */
  readonly verbatim: boolean;
}

export class SourceMap {
  private readonly outLines: readonly number[];
  private readonly sourceLines: readonly number[];

  constructor(
    output: string,
    template: string,
    private readonly chunks: readonly Chunk[],
  ) {
    this.outLines = lineStarts(output);
    this.sourceLines = lineStarts(template);
  }

  /** Lines start at 1. */
  sourceLine(renderedLine: number): number {
    const start = this.outLines[Math.min(renderedLine, this.outLines.length) - 1] ?? 0;
    const chunk = this.chunks[last(this.chunks.length, (at) => (this.chunks[at] as Chunk).out <= start)];
    if (!chunk) return 1;
    const source = chunk.verbatim ? chunk.source + start - chunk.out : chunk.source;
    return 1 + last(this.sourceLines.length, (at) => (this.sourceLines[at] as number) <= source);
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Largest index below `count` for which a condition holds that is true first and false then; 0 if none. */
function last(count: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
