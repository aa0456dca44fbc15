/** Edits (insert, delete, replace, swap neighbours) between two words; Infinity where they are more than `limit`. */
function distance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    if (Math.min(...row) > limit) return Infinity;
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** A hint is not worth more time than it takes a person to look. */
const MOST = 2_000;
const LONGEST = 100;

/** The known word that somebody probably meant; undefined where none is close. */
export function nearest(
  word: string,
  known: readonly string[],
  limit = Math.max(2, Math.floor(word.length / 4)),
): string | undefined {
  let best: { readonly word: string; readonly edits: number } | undefined;
  if (word.length > LONGEST) return undefined;
  for (const candidate of known.slice(0, MOST)) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const edits = distance(word, candidate, limit);
    if (edits <= limit && (!best || edits < best.edits)) best = { word: candidate, edits };
  }
  return best?.word;
}
