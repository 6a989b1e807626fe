import { joinWords } from '../lib/text/sentence.ts';
import { ARTIFACT } from './artifact/artifact-kind.ts';
import { QINIU } from './qiniu/qiniu-kind.ts';
import { REGISTRY } from './registry/registry-kind.ts';
import { RELEASE } from './release/release-kind.ts';

/** All kinds of targets, in the order of help. Each has a folder beside this file. */
export const TARGETS = [QINIU, REGISTRY, RELEASE, ARTIFACT] as const;

/** A word of `--repo` that names a target. */
export type TargetWord = (typeof TARGETS)[number]['word'];

/** The targets of a run, each once, in the order given, and warnings about words that name none. */
interface ChosenTargets {
  readonly words: readonly TargetWord[];
  readonly warnings: readonly string[];
}

/** The word of `--repo` that is used if none is given. */
export const DEFAULT_WORD = QINIU.word;

const NOWHERE = 'none';

/** The words of `--repo`, listed for a sentence. */
export const TARGET_WORDS = joinWords([...TARGETS.map(({ word }) => word), NOWHERE], 'or');

/**
 * Returns the targets that `--repo` names, separated by commas or line breaks. An empty text means Qiniu, `none` means
 * no target, and any unknown word means Qiniu with a warning, as in all versions so far.
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
