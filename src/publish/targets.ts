import { nearestName } from '../lib/text/nearest.ts';
import { joinWords } from '../lib/text/sentence.ts';
import { ARTIFACT } from './artifact/artifact-kind.ts';
import { QINIU } from './qiniu/qiniu-kind.ts';
import { REGISTRY } from './registry/registry-kind.ts';
import { RELEASE } from './release/release-kind.ts';

/** All kinds of targets, in the order of help. Each has a folder next to this file. */
export const TARGETS = [QINIU, REGISTRY, RELEASE, ARTIFACT] as const;

/** A word of `--repo` that names a target. */
export type TargetWord = (typeof TARGETS)[number]['word'];

/** The targets of a run, each once, in the order given, with what is wrong with words that name none. */
interface ChosenTargets {
  readonly words: readonly TargetWord[];
  readonly warnings: readonly string[];
  readonly refusals: readonly RefusedWord[];
}

/** Why a word is refused, and what to write. */
interface RefusedWord {
  readonly message: string;
  readonly hint: string;
}

/** Returns the name of a flag as users write it. */
type Label = (flag: 'repo' | 'dockerhub-repository') => string;

/** The word of `--repo` that is used if none is given. */
export const DEFAULT_WORD = QINIU.word;

const NOWHERE = 'none';

/** The words of `--repo`, listed for a sentence. */
export const TARGET_WORDS = joinWords([...TARGETS.map(({ word }) => word), NOWHERE], 'or');

/** Words that people write for a target. They do not mean Qiniu, unlike other unknown words. */
const MEANT: ReadonlyMap<string, TargetWord | typeof NOWHERE> = new Map([
  ...meaning(
    REGISTRY.word,
    'registry registries private docker docker.io hub harbor oci oras image images container containers',
    'acr ecr gar gcr ghcr ghcr.io swr tcr aliyun quay quay.io gitea gitlab nexus artifactory jfrog zot',
  ),
  ...meaning(RELEASE.word, 'github gh github-release github-releases gh-release ghrelease'),
  ...meaning(ARTIFACT.word, 'actions github-actions workflow upload-artifact'),
  ...meaning(NOWHERE, 'no off false nothing nowhere skip null'),
]);

function meaning<Word extends string>(word: Word, ...texts: readonly string[]): [string, Word][] {
  return texts.flatMap((text) => text.split(' ').map((other): [string, Word] => [other, word]));
}

/**
 * Returns the targets that `--repo` names, separated by commas or line breaks. An empty text means Qiniu, `none` means
 * no target. A word that is close to another target's is refused. Any other unknown word means Qiniu with a warning, as in
 * all versions so far.
 */
export function parseTargetWords(text: string, label: Label): ChosenTargets {
  const given = text
    .split(/[\n,]/)
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
  if (given.length === 0) return { words: [DEFAULT_WORD], warnings: [], refusals: [] };
  const words = new Set<TargetWord>();
  const warnings: string[] = [];
  const refusals: RefusedWord[] = [];
  for (const word of given) {
    const known = TARGETS.find((kind) => kind.word === word);
    if (known !== undefined) words.add(known.word);
    else if (word !== NOWHERE) {
      const message = `"${word.slice(0, 100)}" is no target`;
      const hint = adviceFor(word, label);
      if (hint !== undefined) refusals.push({ message, hint });
      else {
        words.add(DEFAULT_WORD);
        warnings.push(`${message}, so Qiniu is used; write ${TARGET_WORDS}`);
      }
    }
  }
  if (given.includes(NOWHERE) && words.size > 0) {
    warnings.push(`"${NOWHERE}" next to other targets has no effect; publishing to ${[...words].join(', ')}`);
  }
  return { words: [...words], warnings, refusals };
}

/** Returns what to write in place of a word that means another target than Qiniu; undefined if it does not. */
function adviceFor(word: string, label: Label): string | undefined {
  // Only a registry is named with a host or a path.
  const meant = MEANT.get(word) ?? (/[./:]/.test(word) ? REGISTRY.word : undefined);
  if (meant === REGISTRY.word) {
    return `for a registry of your own write ${meant} in ${label('repo')}, and HOST/PATH in ${label('dockerhub-repository')}`;
  }
  if (meant !== undefined) return `write ${meant}`;
  const near = nearestName(word, [...TARGETS.map((kind) => kind.word), NOWHERE]);
  return near === undefined || near === DEFAULT_WORD ? undefined : `did you mean ${near}?`;
}
