import { joinWords } from '../lib/text/sentence.ts';
import { ARTIFACT } from './artifact/artifact-kind.ts';
import { QINIU } from './qiniu/qiniu-kind.ts';
import { REGISTRY } from './registry/registry-kind.ts';
import { RELEASE } from './release/release-kind.ts';

/** The kinds of targets that there are, in the order of help. Each is a folder beside this file. */
export const TARGETS = [QINIU, REGISTRY, RELEASE, ARTIFACT] as const;

/** A word of `--repo` that names a target. */
export type TargetWord = (typeof TARGETS)[number]['word'];

/** The targets of a run in the order given, each once, and what the user should be told about the words. */
interface ChosenTargets {
  readonly words: readonly TargetWord[];
  readonly warnings: readonly string[];
}

/** The word of `--repo` that stands where none is given. */
export const DEFAULT_WORD = QINIU.word;

const NOWHERE = 'none';

/** The words of `--repo` as a sentence lists them. */
export const TARGET_WORDS = joinWords([...TARGETS.map(({ word }) => word), NOWHERE], 'or');

/**
 * Reads which targets are meant: words between commas or on lines of their own. Nothing at all means Qiniu, `none`
 * means nowhere, and any other word means Qiniu with a warning, as it always has.
 */
export function parseTargetWords(text: string): ChosenTargets {
  const given = text
    .split(/[\n,]/)
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
  if (given.length === 0) return { words: [DEFAULT_WORD], warnings: [] };
  const words = new Set<TargetWord>();
  const warnings: string[] = [];
  for (const word of given) {
    const known = TARGETS.find((kind) => kind.word === word);
    if (known !== undefined) words.add(known.word);
    else if (word !== NOWHERE) {
      words.add(DEFAULT_WORD);
      warnings.push(`"${word.slice(0, 100)}" is no target, so Qiniu is used; write ${TARGET_WORDS}`);
    }
  }
  if (given.includes(NOWHERE) && words.size > 0) {
    warnings.push(`"${NOWHERE}" beside other targets says nothing; publishing to ${[...words].join(', ')}`);
  }
  return { words: [...words], warnings };
}
