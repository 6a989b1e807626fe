import { isAlias, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { readYaml, type YamlText } from '../../lib/text/yaml-documents.ts';
import { asText, fieldOfMap, keyText, textOfMap } from '../../lib/text/yaml-map.ts';
import { composeImages } from './compose-images.ts';
import type { ImageMention } from './image-mention.ts';
import { imageObject, OBJECT_FIELDS } from './image-object.ts';
import { CONTAINER_LISTS, isWholeName } from './manifest-fields.ts';
import { YamlAnchors } from './yaml-anchors.ts';

/** The image that Istio puts in place of its word. https://istio.io/latest/docs/setup/additional-setup/gateway/ */
const REPLACED_WORD = 'auto';
const TEMPLATE_HINT = 'use the output of "helm template"';
const MOST_SHOWN = 100;

/** What is known about a text, in addition to its place. */
type MentionNotes = Omit<ImageMention, 'text' | 'line' | 'column'>;

/** Returns the images in documents of YAML or JSON: Kubernetes manifests, compose files, values of charts and others. */
export function mentionsInYaml(yaml: YamlText): readonly ImageMention[] {
  const walk = new ImageWalk(yaml);
  for (const { contents } of yaml.documents) walk.document(contents);
  return walk.mentions;
}

/** Walks through documents, and collects the texts that name an image. Each node is visited once. */
class ImageWalk {
  readonly mentions: ImageMention[] = [];
  readonly #yaml: YamlText;
  readonly #isInner: boolean;
  readonly #visited = new Set<unknown>();
  #anchors = new YamlAnchors(undefined);
  /** A compose file. */
  #compose: YAMLMap | undefined;
  /** Whether the walk is in a part of a compose file that is only a template for services. */
  #isExtension = false;

  constructor(yaml: YamlText, isInner = false) {
    this.#yaml = yaml;
    this.#isInner = isInner;
  }

  document(contents: unknown): void {
    this.#anchors = new YamlAnchors(contents);
    const isCompose =
      isMap(contents) &&
      fieldOfMap(contents, 'kind') === undefined &&
      isMap(this.#anchors.resolve(fieldOfMap(contents, 'services')));
    this.#compose = isCompose ? contents : undefined;
    this.#isExtension = false;
    if (isSeq(contents)) for (const item of contents.items) this.#listed(item);
    if (this.#compose !== undefined) {
      for (const { node, text, ...rest } of composeImages(this.#compose, this.#anchors)) {
        this.#visited.add(node);
        this.#add(node, text, rest);
      }
    }
    this.#visit(contents, undefined);
  }

  /** Reads an item of a list that contains only images. */
  #listed(node: unknown): void {
    if (asText(node) !== undefined) this.#certain(node);
  }

  #add(node: unknown, text: string, rest: MentionNotes = {}): void {
    const offset = (isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined) ?? 0;
    this.mentions.push({ text, ...this.#yaml.positionOf(offset), ...rest });
  }

  #visit(node: unknown, field: string | undefined): void {
    if (isAlias(node) || this.#visited.has(node)) return;
    this.#visited.add(node);
    if (isSeq(node)) for (const item of node.items) this.#visit(item, field);
    const text = asText(node);
    if (text !== undefined) this.#loose(node, text, `it is in the field "${field ?? ''}"`);
    if (isMap(node)) this.#map(node, field);
  }

  #map(map: YAMLMap, field: string | undefined): void {
    if (this.#isTemplate(map)) return;
    const kind = textOfMap(map, 'kind');
    // A definition contains images only as examples.
    if (kind === 'CustomResourceDefinition') return;
    if ((kind === 'ConfigMap' || kind === 'Secret') && !this.#isInner) this.#texts(map);
    const parts = field === 'image' ? imageObject(map, true) : imageObject(map, false);
    if (parts !== undefined) this.#add(parts.node, parts.text, { doubt: parts.missing, hint: TEMPLATE_HINT });
    const isVariable = field === 'env' && textOfMap(map, 'name') !== undefined;
    if (kind === 'Kustomization') {
      const doubt = 'a kustomization takes its images from other files';
      const hint = 'use the output of "kubectl kustomize"';
      this.#add(map, kind, { isNameless: true, doubt, hint });
    }
    for (const { key, value } of map.items) {
      const name = keyText(key);
      this.#loose(key, name, 'it is the name of a field');
      if (map === this.#compose) this.#isExtension = name.startsWith('x-');
      if (CONTAINER_LISTS.has(name)) this.#containers(value);
      else if (name === 'volumes') this.#volumes(value);
      else if (name === 'image') this.#imageField(value);
      else if (name === 'images' && isSeq(value)) for (const item of value.items) this.#imageField(item);
      if (parts !== undefined && OBJECT_FIELDS.has(name)) continue;
      if (isVariable && name === 'value') this.#variable(map, value);
      this.#visit(value, name);
    }
  }

  /** Returns whether a map is really a Helm template without quotes: `{{ … }}` looks like one map within another. */
  #isTemplate(map: YAMLMap): boolean {
    const [start = 0] = map.range ?? [];
    if (map.flow !== true || !this.#yaml.text.startsWith('{{', start)) return false;
    const line = this.#yaml.text.slice(start, start + MOST_SHOWN).split('\n', 1)[0] ?? '';
    this.#visited.add(map);
    this.#add(map, line.trim(), { hint: TEMPLATE_HINT });
    return true;
  }

  #containers(list: unknown): void {
    const containers = this.#anchors.resolve(list);
    for (const item of isSeq(containers) ? containers.items : []) {
      const container = this.#anchors.resolve(item);
      const image = isMap(container) ? this.#anchors.field(container, 'image') : undefined;
      this.#certain(image);
    }
  }

  /** A volume can mount an image. https://kubernetes.io/docs/concepts/storage/volumes/#image */
  #volumes(list: unknown): void {
    for (const volume of isSeq(list) ? list.items : []) {
      const image = isMap(volume) ? fieldOfMap(volume, 'image') : undefined;
      if (isMap(image)) this.#certain(fieldOfMap(image, 'reference'));
    }
  }

  #certain(node: unknown): void {
    if (!isScalar(node) || node.value === null) return;
    const text = asText(node);
    this.#visited.add(node);
    if (text === undefined)
      this.#add(node, String(node.source ?? node.value), { doubt: 'its value is not a text' });
    else if (text === REPLACED_WORD)
      this.#add(node, text, { doubt: 'Istio puts its own image in place of this word' });
    else this.#add(node, text);
  }

  /** Reads a field `image` that does not belong to a container, or an item of a field `images`. */
  #imageField(node: unknown): void {
    const text = asText(node) ?? '';
    if (this.#visited.has(node) || text === '') return;
    this.#visited.add(node);
    if (this.#isExtension) return;
    const doubt = this.#compose
      ? 'no service of this file uses it'
      : isWholeName(text)
        ? undefined
        : 'it is in a field "image" outside of a container';
    this.#add(node, text, { doubt });
  }

  #variable(map: YAMLMap, node: unknown): void {
    const text = asText(node);
    if (text !== undefined)
      this.#loose(node, text, `it is the value of the variable ${textOfMap(map, 'name')}`);
  }

  /** Takes a text that looks like an image in any place, such as in an argument `--image=…`. */
  #loose(node: unknown, text: string, doubt: string): void {
    const name = text.startsWith('-') ? text.slice(text.indexOf('=') + 1) : text;
    if (!isWholeName(name)) return;
    this.#visited.add(node);
    this.#add(node, name, { doubt });
  }

  /** Reads the texts of a ConfigMap or Secret. One of them can be the manifest of pods that a program creates. */
  #texts(map: YAMLMap): void {
    for (const key of ['data', 'stringData']) {
      const data = fieldOfMap(map, key);
      for (const { value } of isMap(data) ? data.items : []) {
        const text = asText(value);
        // The walk itself finds a text that is an image.
        if (text === undefined || isWholeName(text)) continue;
        const [start = 0] = isScalar(value) ? (value.range ?? []) : [];
        const isBlock = isScalar(value) && value.type?.startsWith('BLOCK') === true;
        // The lines of a block follow the line with its "|".
        const before = this.#yaml.lineOf(start) - (isBlock ? 0 : 1);
        for (const mention of innerMentions(text)) {
          this.mentions.push({ ...mention, line: before + (isBlock ? mention.line : 1) });
        }
      }
    }
  }
}

/** Returns the images in a text within a manifest: those of a manifest, or all that look like images in another text. */
function innerMentions(text: string): readonly ImageMention[] {
  return (/\bimage["']?\s*:/.test(text) ? manifestMentions(text) : undefined) ?? wholeNamesIn(text);
}

/** Returns the images in a manifest; undefined for another text. */
function manifestMentions(text: string): readonly ImageMention[] | undefined {
  let inner: YamlText;
  try {
    inner = readYaml(text);
  } catch {
    return undefined;
  }
  const manifests = inner.documents.flatMap(({ contents }) =>
    isMap(contents) && textOfMap(contents, 'kind') !== undefined ? [contents] : [],
  );
  if (manifests.length === 0) return undefined;
  const walk = new ImageWalk(inner, true);
  for (const manifest of manifests) walk.document(manifest);
  return walk.mentions;
}

/** Returns all that looks like an image in a text of any form, such as the configuration of an operator. */
function wholeNamesIn(text: string): readonly ImageMention[] {
  const doubt = 'it is in a text of a ConfigMap or Secret';
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(/[^\s"'`=,;()[\]{}<>|]+/g)]
        .filter(([word]) => isWholeName(word))
        .map((word) => ({ text: word[0], line: index + 1, column: word.index + 1, doubt })),
    );
}
