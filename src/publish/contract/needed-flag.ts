import type { FlagReader } from '../../config/flags/flag-reader.ts';

/**
 * Returns the text of a flag that `target` requires. If there is none, adds a failure to `flags` and returns undefined.
 */
export function neededFlag<Name extends string>(
  flags: FlagReader<Name>,
  name: Name,
  { target, hint }: { readonly target: string; readonly hint: string },
): string | undefined {
  // Keys contain no white space, but the files and secrets that hold them often end with a line break.
  const text = flags.text(name)?.trim() ?? '';
  if (text !== '') return text;
  flags.refuse(name, `this flag is required for publishing to ${target}`, hint);
  return undefined;
}
