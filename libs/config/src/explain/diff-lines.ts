const CONTEXT = 2;
/** Above this many differing lines the shortest diff is not sought: all old lines go, all new ones come. */
const LIMIT = 2000;

type Edit = readonly [' ' | '-' | '+', string];

const split = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** A unified diff of two texts, with two lines of context. */
export function diffLines(before: string, after: string): readonly string[] {
  const a = split(before);
  const b = split(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end])
    end++;
  const edits: Edit[] = [
    ...a.slice(0, start).map((line): Edit => [' ', line]),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map((line): Edit => [' ', line]),
  ];
  return withContext(edits);
}

/** Longest common subsequence of what is left between common beginning and end. */
function middle(a: readonly string[], b: readonly string[]): readonly Edit[] {
  const all = [...a.map((line): Edit => ['-', line]), ...b.map((line): Edit => ['+', line])];
  if (a.length === 0 || b.length === 0 || a.length + b.length > LIMIT) return all;
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j]
          ? (common[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      edits.push([' ', a[i] as string]);
      i++;
      j++;
    } else if (
      j >= b.length ||
      (i < a.length && (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0))
    ) {
      edits.push(['-', a[i++] as string]);
    } else edits.push(['+', b[j++] as string]);
  }
  return edits;
}

function withContext(edits: readonly Edit[]): readonly string[] {
  const near = new Set<number>();
  edits.forEach(([kind], at) => {
    if (kind !== ' ') for (let i = at - CONTEXT; i <= at + CONTEXT; i++) near.add(i);
  });
  const lines: string[] = [];
  let last = -1;
  edits.forEach(([kind, line], at) => {
    if (!near.has(at)) return;
    if (lines.length > 0 && last !== at - 1) lines.push('@@');
    lines.push(`${kind}${line}`);
    last = at;
  });
  return lines;
}
