/** The name of an image in a report, in two. */
export interface TaggedName {
  /** With its host. */
  readonly repository: string;
  /** Empty where a whole repository is meant. */
  readonly tag: string;
}

/** Splits the name of an image as reports have it, `host:port/repository:tag`. */
export function splitName(name: string): TaggedName {
  const colon = name.lastIndexOf(':');
  // A failure of a whole repository has no tag, and a port is none.
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: '' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
