import { isMap } from 'yaml';
import { readYaml, UnusableYaml, type YamlText } from '../../lib/text/yaml-documents.ts';
import { fieldOfMap } from '../../lib/text/yaml-map.ts';
import { formatPlace } from '../problem.ts';
import type { ImageMention } from './image-mention.ts';
import { mentionsInTable } from './image-table.ts';
import { mentionsInList } from './plain-list.ts';
import { mentionsInScript } from './script-images.ts';
import { mentionsInTemplate } from './template-images.ts';
import { unreadableImages } from './unreadable-images.ts';
import { mentionsInYaml } from './yaml-images.ts';

/** A line of YAML or JSON with a key, or the start of one of their documents. */
const KEY_LINE = /^\s*(?:- +)*["']?([A-Za-z_][\w./$:-]*)["']?\s*:(?:\s|$)/;
const DOCUMENT_START = /^(?:---|%YAML|\{(?!\{)|\[)/;
const SCRIPT_START = /^#!/;
const TEMPLATE_PART = /\{\{|\{%/;
/** Indentation and the colon after a key, as input methods and web pages write them. */
const WIDE_COLON = /^([ \t\u00a0\u3000]*(?:- +)?["']?(?:image|repository|tag)["']?)：\s*/gim;
const WIDE_INDENT = /^[ \t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000]+/gm;

/** A pod as JSON has 12 KB and 1,600 tokens, so some 600 fit. They took 1.7 s and a process of 460 MB. */
const LIMITS = { length: 8 * 1024 ** 2, tokens: 1_000_000 };

/** The files of keel-pkg by the keys that each has, with what to do with them. */
const OWN_FILES: readonly (readonly [keys: readonly string[], kind: string, hint: string])[] = [
  [['components'], 'it is a versions.json, which describes a package', 'use it with packer'],
  [
    ['names', 'prefixes', 'extras', 'kubernetes', 'cni', 'patches'],
    'it is an image set, not a list of images',
    'use it with --image-set, in a workflow with the input image-set',
  ],
];

/** Returns the parts of a text that name images, in any supported form. Throws `IMAGES_UNREADABLE`. */
export function mentionsIn(file: string, text: string): readonly ImageMention[] {
  if (SCRIPT_START.test(text)) return mentionsInScript(text);
  const table = mentionsInTable(text);
  if (table !== undefined) return table;
  return isStructured(text) ? mentionsInStructure(file, text) : mentionsInList(text);
}

/** Returns whether a text has other keys than `image`, which lists have too. */
function isStructured(text: string): boolean {
  return text.split(/\r\n|\r|\n/).some((line) => {
    const key = KEY_LINE.exec(line)?.[1];
    return DOCUMENT_START.test(line) || (key !== undefined && key !== 'image');
  });
}

function mentionsInStructure(file: string, text: string): readonly ImageMention[] {
  const plain = text.replace(WIDE_INDENT, (space) => ' '.repeat(space.length)).replace(WIDE_COLON, '$1: ');
  let yaml: YamlText;
  try {
    yaml = readYaml(plain, LIMITS);
  } catch (error) {
    if (!(error instanceof UnusableYaml)) throw error;
    if (error.isMalformed && TEMPLATE_PART.test(text)) return mentionsInTemplate(plain);
    const list = error.isMalformed ? mentionsInList(text) : [];
    if (isMostlyNames(list)) return list;
    const about = error.position === undefined ? file : formatPlace({ file, ...error.position });
    throw unreadableImages(about, error.message, {
      hint: error.isMalformed
        ? 'use a list with one image per line, a manifest or a compose file'
        : 'split it into several files',
    });
  }
  refuseOwnFile(file, yaml);
  const mentions = mentionsInYaml(yaml);
  const list = mentions.length === 0 ? mentionsInList(text) : [];
  return isMostlyNames(list) ? list : mentions;
}

/** Returns whether most lines of a list are single words, as names are. A note between them does not make it a manifest. */
function isMostlyNames(list: readonly ImageMention[]): boolean {
  const names = list.filter(({ text }) => /^[^\s:]+(?::[^\s:]+)*$/.test(text) && /[:/]/.test(text));
  return names.length * 2 > list.length;
}

function refuseOwnFile(file: string, { documents }: YamlText): void {
  const [first] = documents;
  const root = first?.contents;
  if (documents.length !== 1 || !isMap(root)) return;
  if (['apiVersion', 'kind', 'services'].some((key) => fieldOfMap(root, key) !== undefined)) return;
  for (const [keys, kind, hint] of OWN_FILES) {
    if (keys.some((key) => fieldOfMap(root, key) !== undefined)) throw unreadableImages(file, kind, { hint });
  }
}
