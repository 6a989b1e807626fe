/** A stream that may be a terminal. `process.stdout` and `process.stderr` are such streams. */
export interface TextStream {
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal in columns. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Returns whether to write colours to a stream: https://no-color.org, https://force-color.org, `TERM=dumb`. */
export function wantsColour(
  stream: TextStream,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const { FORCE_COLOR: force = '', NO_COLOR: no = '', TERM: terminal } = environment;
  if (force !== '') return force !== '0' && force !== 'false';
  return no === '' && terminal !== 'dumb' && stream.isTTY === true;
}
