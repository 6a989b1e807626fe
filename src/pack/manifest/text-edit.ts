/** A change of a text: the characters from `start` to `end` become `text`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** A description of it, for people. */
  readonly what: string;
}

/** Returns a text with edits that do not overlap; two that are the same are made once. */
export function editText(text: string, edits: readonly TextEdit[]): string {
  const each = new Map(edits.map((edit) => [`${edit.start} ${edit.end} ${edit.text}`, edit]));
  const pieces: string[] = [];
  let at = 0;
  for (const edit of [...each.values()].toSorted((one, other) => one.start - other.start)) {
    pieces.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return `${pieces.join('')}${text.slice(at)}`;
}

/** Returns how far an offset is from the beginning of its line. */
export function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}
