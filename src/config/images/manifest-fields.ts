/** The lists of containers of a pod. */
export const CONTAINER_LISTS: ReadonlySet<string> = new Set([
  'containers',
  'initContainers',
  'ephemeralContainers',
]);

/** A host, a path, and a tag or digest: nothing else has this form. */
const WHOLE_NAME =
  /^[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d+)?\/[a-z0-9._/-]+(?::[\w.-]+|@sha256:[0-9a-f]{64})+$/;

/** Longer than any name of an image. */
const LENGTH_LIMIT = 600;

/** Returns whether a text has a host, a path, and a tag or digest. Only names of images have all of them. */
export function isWholeName(text: string): boolean {
  return text.length <= LENGTH_LIMIT && WHOLE_NAME.test(text);
}
