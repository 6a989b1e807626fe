import { Failure } from '../../lib/failure.ts';
import { type KubernetesWord, toKubernetesWord } from './kubernetes-word.ts';

const EACH_WORD =
  'write "1.37" for all releases of a minor, "1.37.1" for one, "latest", "latest-1" or "supported"';

/** What can be written for one version. */
export const ONE_VERSION_HINT =
  'write a version such as 1.37.1, a minor such as 1.37 for its newest release, or latest or latest-1';

/** Returns the word for versions of Kubernetes that a text is. Throws `KUBERNETES_VERSION_MALFORMED`. */
export function parseKubernetesWord(text: string, about: string, hint = EACH_WORD): KubernetesWord {
  const word = toKubernetesWord(text);
  if (word !== undefined) return word;
  throw new Failure({
    code: 'KUBERNETES_VERSION_MALFORMED',
    fault: 'usage',
    about,
    message: `expected a version of Kubernetes, found ${JSON.stringify(text.slice(0, 100))}`,
    hint,
  });
}
