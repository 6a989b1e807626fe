import { isAlias, isMap, isScalar, isSeq, type Scalar, type YAMLMap } from 'yaml';
import { CONTAINER_LISTS, isWholeName } from '../../config/images/manifest-fields.ts';
import type { YamlText } from '../../lib/text/yaml-documents.ts';
import { asText, fieldOfMap, keyText, textOfMap } from '../../lib/text/yaml-map.ts';
import { readManifestDocuments, unusableManifest } from './manifest-documents.ts';
import type { TextEdit } from './text-edit.ts';

/** A manifest, or one that another manifest contains as a text, such as that of pods which a program creates. */
interface ManifestPart extends YamlText {
  /** For messages. */
  readonly about: string;
  /** Returns an edit of this text as one of the whole manifest. Throws `MANIFEST_UNUSABLE`. */
  readonly outward: (edit: TextEdit) => TextEdit;
}

/** A map of a manifest, and the text that contains it. */
interface ManifestMap {
  readonly part: ManifestPart;
  readonly map: YAMLMap;
}

/** A value that names an image. */
export interface ImageField {
  readonly part: ManifestPart;
  readonly node: Scalar;
  readonly value: string;
  /**
   * The container, or image of a volume, which has a pull policy under a key; undefined for an argument or a variable.
   */
  readonly holder?: { readonly map: YAMLMap; readonly policyKey: string } | undefined;
}

/** The parts of a manifest that concern a package. */
export interface ManifestFacts {
  readonly images: readonly ImageField[];
  readonly containers: readonly ManifestMap[];
  /** The texts of all ConfigMaps by their keys. */
  readonly data: ReadonlyMap<string, string>;
  /** The variables of all containers that have a value. */
  readonly environment: ReadonlyMap<string, string>;
}

// Arguments and variables that name the image a program runs, such as --acme-http01-solver-image of cert-manager.
const IMAGE_FLAG = /^--?[a-z0-9-]*image(?:=(.+))?$/;
const IMAGE_VARIABLE = /(?:^|_)IMAGE(?:_|$)/;
/** Goes through one manifest and collects these parts. */
class ManifestWalk implements ManifestFacts {
  readonly images: ImageField[] = [];
  readonly containers: ManifestMap[] = [];
  readonly data = new Map<string, string>();
  readonly environment = new Map<string, string>();

  /** `isInner` means that another manifest contains this one as a text. */
  walk(part: ManifestPart, isInner = false): void {
    for (const { contents } of part.documents) this.#node(contents, part, isInner);
  }

  #node(node: unknown, part: ManifestPart, isInner: boolean): void {
    if (isAlias(node)) {
      throw unusableManifest(part.about, `it contains an alias, *${node.source.slice(0, 60)}`, {
        line: part.lineOf(node.range?.[0] ?? 0),
        hint: 'replace the alias with its value',
      });
    }
    if (isSeq(node)) for (const item of node.items) this.#node(item, part, isInner);
    if (!isMap(node)) return;
    const kind = textOfMap(node, 'kind');
    // A definition names images at most as examples.
    if (kind === 'CustomResourceDefinition') return;
    if (kind === 'ConfigMap' && !isInner) this.#texts(node, part);
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = keyText(key);
      if (name === '<<' || seen.has(name)) this.#refuseKey(key, name, part);
      seen.add(name);
      if (CONTAINER_LISTS.has(name)) this.#containers(value, part);
      if (name === 'volumes') this.#volumes(value, part);
      this.#node(value, part, isInner);
    }
  }

  #refuseKey(key: unknown, name: string, part: ManifestPart): never {
    const line = isScalar(key) ? part.lineOf(key.range?.[0] ?? 0) : undefined;
    if (name === '<<') {
      throw unusableManifest(part.about, 'it merges maps with <<', {
        line,
        hint: 'write out the merged values',
      });
    }
    throw unusableManifest(part.about, `it contains ${JSON.stringify(name.slice(0, 60))} twice in one map`, {
      line,
    });
  }

  #containers(list: unknown, part: ManifestPart): void {
    for (const map of isSeq(list) ? list.items.filter((item) => isMap(item)) : []) {
      this.containers.push({ part, map });
      this.#field(map, 'image', 'imagePullPolicy', part);
      this.#told(map, part);
    }
  }

  /** A volume can be the content of an image. https://kubernetes.io/docs/concepts/storage/volumes/#image */
  #volumes(list: unknown, part: ManifestPart): void {
    for (const volume of isSeq(list) ? list.items : []) {
      const image = isMap(volume) ? fieldOfMap(volume, 'image') : undefined;
      if (isMap(image)) this.#field(image, 'reference', 'pullPolicy', part);
    }
  }

  #field(map: YAMLMap, key: string, policyKey: string, part: ManifestPart): void {
    const node = fieldOfMap(map, key);
    if (node === undefined) return;
    const value = asText(node);
    if (!isScalar(node) || value === undefined) {
      throw unusableManifest(part.about, `one of its "${key}" is not an image name`, {
        line: isScalar(node) || isMap(node) || isSeq(node) ? part.lineOf(node.range?.[0] ?? 0) : undefined,
      });
    }
    this.images.push({ part, node, value, holder: { map, policyKey } });
  }

  /** Reads the arguments and variables of a container, which may name images that its program runs. */
  #told(container: YAMLMap, part: ManifestPart): void {
    const env = fieldOfMap(container, 'env');
    for (const variable of isSeq(env) ? env.items : []) {
      const [name, value] = isMap(variable)
        ? [textOfMap(variable, 'name'), textOfMap(variable, 'value')]
        : [];
      if (!isMap(variable) || name === undefined || value === undefined) continue;
      this.environment.set(name, value);
      if (IMAGE_VARIABLE.test(name)) this.#name(fieldOfMap(variable, 'value'), value, part);
    }
    for (const key of ['command', 'args']) {
      const list = fieldOfMap(container, key);
      let isAwaited = false;
      for (const argument of isSeq(list) ? list.items : []) {
        const text = asText(argument) ?? '';
        const flag = IMAGE_FLAG.exec(text);
        const name = isAwaited ? text : flag?.[1];
        isAwaited = flag !== null && flag[1] === undefined;
        if (name !== undefined) this.#name(argument, name, part);
      }
    }
  }

  #name(node: unknown, value: string, part: ManifestPart): void {
    if (isScalar(node) && isWholeName(value)) this.images.push({ part, node, value });
  }

  /** Reads the texts of a ConfigMap. One of them can be the manifest of pods that a program creates. */
  #texts(configMap: YAMLMap, part: ManifestPart): void {
    const data = fieldOfMap(configMap, 'data');
    for (const { key, value } of isMap(data) ? data.items : []) {
      const [name, text] = [asText(key), asText(value)];
      if (name === undefined || text === undefined) continue;
      this.data.set(name, text);
      if (!isScalar(value) || !/\bimage["']?\s*:/.test(text)) continue;
      const inner = innerPart(name, text, value, part);
      if (inner !== undefined) this.walk(inner, true);
    }
  }
}

/** Returns a text of a ConfigMap as a manifest; undefined if it is not one. */
function innerPart(key: string, text: string, node: Scalar, outer: ManifestPart): ManifestPart | undefined {
  const about = `${outer.about}, ${key}`;
  let inner: YamlText;
  try {
    inner = readManifestDocuments(text, about);
  } catch {
    return undefined;
  }
  const isManifest = inner.documents.some(
    ({ contents }) => isMap(contents) && textOfMap(contents, 'kind') !== undefined,
  );
  if (!isManifest) return undefined;
  const begin = outer.lineOf(node.range?.[0] ?? 0);
  const outward = (edit: TextEdit): TextEdit => outwardEdit(edit, text, { about, node, outer });
  return { ...inner, about, lineOf: (offset) => begin + inner.lineOf(offset), outward };
}

/**
 * Returns an edit of a text in a manifest as one of the manifest. The manifest contains the lines of the text
 * unchanged, only indented.
 */
function outwardEdit(
  edit: TextEdit,
  text: string,
  { about, node, outer }: { readonly about: string; readonly node: Scalar; readonly outer: ManifestPart },
): TextEdit {
  const [start = 0, end = 0] = node.range ?? [];
  const source = outer.text.slice(start, end);
  const body = start + source.indexOf('\n') + 1;
  const lines = outer.text.slice(body, end).split('\n');
  const inner = text.split('\n');
  const first = inner.findIndex((line) => line !== '');
  const indent = (lines[first]?.length ?? 0) - (inner[first]?.length ?? 0);
  const isAsItIs = inner.every((line, at) => line === '' || lines[at]?.slice(indent) === line);
  if (node.type !== 'BLOCK_LITERAL' || !isAsItIs) {
    throw unusableManifest(about, `${edit.what}, which packer cannot do in YAML written in this form`, {
      hint: 'in a manifest of your own, write the text as a block after "|", line by line',
    });
  }
  const outside = (offset: number): number => {
    const line = text.slice(0, offset).split('\n').length - 1;
    const before = lines.slice(0, line).reduce((length, { length: own }) => length + own + 1, 0);
    const column = offset - (text.lastIndexOf('\n', offset - 1) + 1);
    return body + before + indent + column;
  };
  return outer.outward({
    ...edit,
    start: outside(edit.start),
    end: outside(edit.end),
    text: edit.text.replaceAll('\n', `\n${' '.repeat(indent)}`),
  });
}

/** Returns the parts of a manifest that concern a package. Throws `MANIFEST_UNUSABLE`. */
export function manifestFacts(text: string, about: string): ManifestFacts {
  const walk = new ManifestWalk();
  const whole = { ...readManifestDocuments(text, about), about, outward: (edit: TextEdit) => edit };
  walk.walk(whole);
  requireObjects(whole);
  return walk;
}

/** Throws `MANIFEST_UNUSABLE` for a text that no cluster accepts: an error page, the values of a chart, nothing. */
function requireObjects({ about, documents, lineOf }: ManifestPart): void {
  const hint =
    'give a manifest that kubectl apply accepts; render charts with helm template and kustomizations with kubectl kustomize';
  const filled = documents.flatMap(({ contents }) =>
    contents === null || (isScalar(contents) && contents.value === null) ? [] : contents,
  );
  if (filled.length === 0) throw unusableManifest(about, 'it contains nothing to apply', { hint });
  const odd = filled.find((contents) => !isMap(contents) || textOfMap(contents, 'kind') === undefined);
  if (odd === undefined) return;
  throw unusableManifest(about, 'it is not a manifest: this object has no "kind"', {
    line: lineOf(odd.range[0]),
    hint,
  });
}
