import { isPair, isScalar, type YAMLMap } from 'yaml';

/** Returns the value of a key of a map; undefined if there is none. */
export function fieldOfMap(map: YAMLMap, key: string): unknown {
  return map.items.find((item) => isPair(item) && asText(item.key) === key)?.value;
}

/** Returns the text of a key of a map; undefined if it has none. */
export function textOfMap(map: YAMLMap, key: string): string | undefined {
  return asText(fieldOfMap(map, key));
}

/** Returns a key as clusters read it, to which all keys are texts: a port as the key of a ConfigMap is a number here. */
export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Returns the text of a node; undefined for what is no text. */
export function asText(node: unknown): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}
