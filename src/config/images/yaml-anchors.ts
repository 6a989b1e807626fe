import { isAlias, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { fieldOfMap, keyText } from '../../lib/text/yaml-map.ts';

/** The most maps that merge each other; further ones are not followed. */
const MERGE_LIMIT = 20;

/** A node with an anchor, and where it is. */
interface Anchored {
  readonly node: unknown;
  readonly offset: number;
}

/** The nodes that aliases of a document refer to, and the fields of its maps after merging. */
export class YamlAnchors {
  /** By name, in the order of the document. */
  readonly #nodes = new Map<string, Anchored[]>();
  readonly #fields = new Map<string, Map<YAMLMap, unknown>>();

  constructor(contents: unknown) {
    this.#collect(contents);
  }

  #collect(node: unknown): void {
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return;
    if (node.anchor !== undefined) {
      const same = this.#nodes.get(node.anchor) ?? [];
      same.push({ node, offset: node.range?.[0] ?? 0 });
      this.#nodes.set(node.anchor, same);
    }
    if (isSeq(node)) for (const item of node.items) this.#collect(item);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      this.#collect(key);
      this.#collect(value);
    }
  }

  /** Returns the node that a node refers to: for an alias, the last node before it with its anchor; otherwise itself. */
  resolve(node: unknown): unknown {
    if (!isAlias(node)) return node;
    const same = this.#nodes.get(node.source) ?? [];
    const offset = node.range?.[0] ?? 0;
    let [low, high] = [0, same.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((same[middle]?.offset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return same[low - 1]?.node;
  }

  /** Returns the value of a key of a map, or of the maps that it merges with `<<`; undefined if there is none. */
  field(map: YAMLMap, key: string, depth = 0): unknown {
    const known = this.#fields.get(key) ?? new Map<YAMLMap, unknown>();
    this.#fields.set(key, known);
    if (known.has(map) || depth > MERGE_LIMIT) return known.get(map);
    // A map that merges itself has no further fields.
    known.set(map, undefined);
    const own = this.resolve(fieldOfMap(map, key));
    const value = own ?? this.#merged(map, key, depth);
    known.set(map, value);
    return value;
  }

  #merged(map: YAMLMap, key: string, depth: number): unknown {
    for (const { key: name, value } of map.items) {
      if (keyText(name) !== '<<') continue;
      const merged = this.resolve(value);
      for (const item of isSeq(merged) ? merged.items : [merged]) {
        const from = this.resolve(item);
        const found = isMap(from) ? this.field(from, key, depth + 1) : undefined;
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}
