import type { ImageMention } from './image-mention.ts';
import { type LineWord, wordsOf } from './pull-command.ts';

/**
 * How tables with images begin, and whether their second column is the tag: podman and docker before 29, crictl, docker since
 * 29 (https://github.com/docker/cli/pull/6566) and nerdctl, ctr. Names and tags have no spaces, as other columns do.
 */
const HEADS: readonly (readonly [words: readonly string[], hasTag: boolean])[] = [
  [['REPOSITORY', 'TAG'], true],
  [['IMAGE', 'TAG'], true],
  [['IMAGE', 'ID', 'DISK'], false],
  [['REF', 'TYPE'], false],
];
/** Docker 29 prints a legend above the table on a terminal. */
const LEGEND = /\bIn Use\b/;
const NAMELESS = /^<(?:none|untagged)>$|:<none>$/;
/**
 * A name that containerd gives to each image of Kubernetes in addition to its own.
 * https://github.com/containerd/containerd/blob/v2.1.0/internal/cri/server/images/image_pull.go
 */
const OWN_DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Returns the images of a table as `docker images`, `podman images`, `crictl images` and `ctr images list` print it;
 * undefined if a text is not such a table.
 */
export function mentionsInTable(text: string): readonly ImageMention[] | undefined {
  const lines = text.split(/\r\n|\r|\n/);
  const start = lines.findIndex((line) => line.trim() !== '' && !LEGEND.test(line));
  const head = wordsOf(lines[start] ?? '').map((word) => word.text);
  const [, hasTag] = HEADS.find(([words]) => words.every((word, index) => head[index] === word)) ?? [];
  if (hasTag === undefined) return undefined;
  return lines.slice(start + 1).flatMap((line, index) => {
    const [name, tag] = wordsOf(line);
    return name === undefined ? [] : mentionOf(name, hasTag ? tag?.text : undefined, start + index + 2);
  });
}

function mentionOf(name: LineWord, tag: string | undefined, line: number): readonly ImageMention[] {
  if (OWN_DIGEST.test(name.text)) return [];
  const mention = {
    text: tag === undefined ? name.text : `${name.text}:${tag}`,
    line,
    column: name.offset + 1,
  };
  const isNameless = NAMELESS.test(name.text) || NAMELESS.test(mention.text);
  const doubt = 'this machine has it without a name or tag';
  return [isNameless ? { ...mention, isNameless, doubt } : mention];
}
