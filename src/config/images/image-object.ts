import { isMap, isScalar, type YAMLMap } from 'yaml';
import { fieldOfMap } from '../../lib/text/yaml-map.ts';
import { startsWithHost } from '../../registry/oci/reference.ts';

/** An image in several fields, as values of Helm charts and operators have it. */
interface ImageObject {
  readonly text: string;
  /** The field with its path. */
  readonly node: unknown;
  /** What its fields leave open, as a clause; undefined if they name the image in full. */
  readonly missing: string | undefined;
}

/** Fields of an image that is written in parts. */
export const OBJECT_FIELDS: ReadonlySet<string> = new Set(['registry', 'repository', 'tag', 'digest']);

/**
 * Returns the image that `registry`, `repository`, `tag` and `digest` of a map name together; undefined if it has no
 * `repository`. A map with neither tag nor digest is only an image if `isImage` is set.
 */
export function imageObject(map: YAMLMap, isImage: boolean): ImageObject | undefined {
  const [node, repository] = [fieldOfMap(map, 'repository'), writtenText(fieldOfMap(map, 'repository'))];
  const hasVersion = ['tag', 'digest'].some((key) => fieldOfMap(map, key) !== undefined);
  if (repository === '' || /:\/\//.test(repository) || !(isImage || hasVersion)) return undefined;
  const [registry, tag, digest] = ['registry', 'tag', 'digest'].map((key) =>
    writtenText(fieldOfMap(map, key)),
  );
  const name = registry ? `${registry}/${repository}` : repository;
  const text = `${name}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`;
  const inLast = repository.slice(repository.lastIndexOf('/') + 1);
  const isOpen = !tag && !digest && !/[:@]/.test(inLast);
  const missing = !startsWithHost(name)
    ? 'its fields name no registry'
    : isOpen
      ? 'its fields name no tag'
      : undefined;
  return { text, node, missing };
}

/** Returns a value as written, so that the tag 1.30 does not become 1.3; empty if there is none. */
function writtenText(node: unknown): string {
  if (!isScalar(node) || node.value === null || isMap(node)) return '';
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}
