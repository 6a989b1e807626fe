import { isPair, isScalar, type YAMLMap } from 'yaml';

/** Returns the value of a key of a map; undefined if there is none. */
export function fieldOfMap(map: YAMLMap, key: string): unknown {
  return map.items.find((item) => isPair(item) && asText(item.key) === key)?.value;
}

/** Returns the text of a key of a map; undefined if it has none. */
export function textOfMap(map: YAMLMap, key: string): string | undefined {
  return asText(fieldOfMap(map, key));
}

/** Returns a key as a text, as clusters read it: this parser reads the key 8080 of a ConfigMap as a number. */
export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Returns the text of a node; undefined if it is not a text. */
export function asText(node: unknown): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}
