/** Writes a number so that it can be read at a glance: `1,204`. */
export function formatCount(count: number): string {
  // Intl.NumberFormat would cost every start some 15 ms.
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Writes a number of things: `1 image`, `1,204 images`. */
export function countOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** Joins words as a sentence does: `a`, `a and b`, `a, b and c`; or with `or`. */
export function joinWords(words: readonly string[], conjunction: 'and' | 'or' = 'and'): string {
  return words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}
