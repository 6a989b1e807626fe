/**
 * Returns how many letters have to be inserted, removed, replaced or swapped with their neighbour to turn one word into
 * the other (optimal string alignment distance).
 */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped && row > 1 ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** Returns a name in lower case and without separators, which people often mix up. */
function skeleton(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '');
}

/**
 * Returns the known name that is nearest to `name`; undefined if none is near. At most a third of the letters may be
 * wrong, and at most three. Of two equally near names it returns the first.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  // A longer text is not a mistyped name, and comparing it would be slow.
  if (name.length > 200) return undefined;
  const sought = skeleton(name);
  let nearest: string | undefined;
  let best = Math.min(3, Math.floor(Math.max(name.length, 3) / 3)) + 1;
  for (const candidate of known) {
    const other = skeleton(candidate);
    if (Math.abs(other.length - sought.length) >= best) continue;
    const distance = editDistance(sought, other);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Returns `; did you mean "x"?` for messages about an unknown name; empty if no known name is near. */
export function suggestion(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === undefined || nearest === name ? '' : `; did you mean "${nearest}"?`;
}
