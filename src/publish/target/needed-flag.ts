import type { FlagReader } from '../../config/flags/flag-reader.ts';

/** Returns the text of a flag that `target` cannot do without; undefined, with a failure kept, where there is none. */
export function neededFlag<Name extends string>(
  flags: FlagReader<Name>,
  name: Name,
  { target, hint }: { readonly target: string; readonly hint: string },
): string | undefined {
  // Keys have no white space, but files and secrets that hold them often end with a line end.
  const text = flags.text(name)?.trim() ?? '';
  if (text !== '') return text;
  flags.refuse(name, `publishing to ${target} needs it`, hint);
  return undefined;
}
