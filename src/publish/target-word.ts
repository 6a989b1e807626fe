/** The targets that `--repo` knows by name. */
export const TARGET_WORDS = ['qiniu', 'dockerhub', 'release', 'artifact'] as const;

export type TargetWord = (typeof TARGET_WORDS)[number];

/** The targets of a run in the order given, each once, and what the user should be told about the words. */
export interface ChosenTargets {
  readonly words: readonly TargetWord[];
  readonly warnings: readonly string[];
}

const NOWHERE = 'none';

/**
 * Reads which targets are meant: words between commas or on lines of their own. Nothing at all means Qiniu, `none`
 * means nowhere, and any other word means Qiniu with a warning, as it always has.
 */
export function parseTargetWords(text: string): ChosenTargets {
  const given = text
    .split(/[\n,]/)
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
  if (given.length === 0) return { words: ['qiniu'], warnings: [] };
  const words = new Set<TargetWord>();
  const warnings: string[] = [];
  for (const word of given) {
    const known = TARGET_WORDS.find((candidate) => candidate === word);
    if (known !== undefined) words.add(known);
    else if (word !== NOWHERE) {
      words.add('qiniu');
      const allowed = `${TARGET_WORDS.join(', ')} or ${NOWHERE}`;
      warnings.push(`"${word.slice(0, 100)}" is no target, so Qiniu is used; write ${allowed}`);
    }
  }
  if (given.includes(NOWHERE) && words.size > 0) {
    warnings.push(`"${NOWHERE}" beside other targets says nothing; publishing to ${[...words].join(', ')}`);
  }
  return { words: [...words], warnings };
}
