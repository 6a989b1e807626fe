import type { KubeadmAnswer } from '../../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { Failure } from '../../lib/failure.ts';
import { joinWords } from '../../lib/text/sentence.ts';
import type { Makers } from '../../upstream/makers.ts';
import type { OpenQuestions } from '../plan/open-questions.ts';
import type { MatchingTag, ToldFacts } from '../plan/release-knowledge.ts';

/**
 * Asks upstream only what a plan leaves open, with all requests at the same time. Returns the answers about a version,
 * and the requests that failed. Throws `KUBERNETES_UNRELEASED` if all hosts answered, but have no such version.
 */
export async function askMakers(
  { kubeadm, components }: OpenQuestions,
  version: KubernetesVersion,
  { makers, signal }: { readonly makers: Makers; readonly signal: AbortSignal },
): Promise<ToldFacts> {
  const [tags, parts] = await Promise.all([
    kubeadm ? makers.kubeadmTags(version, signal) : undefined,
    components.length > 0 ? makers.components(version, signal) : undefined,
  ]);
  if (tags?.isAbsent === true) throw unreleased(version);
  const wanted = parts?.found?.filter(({ name }) => components.includes(name)) ?? [];
  return {
    version,
    kubeadm: tags?.found,
    matching: new Map(wanted.map(({ name, tag, origin }) => [name, { tag, origin }])),
    troubles: {
      kubeadm: tags?.troubles ?? [],
      components: new Map([...(parts?.troubles ?? [])].filter(([name]) => components.includes(name))),
    },
  };
}

function unreleased(version: KubernetesVersion): Failure<'KUBERNETES_UNRELEASED'> {
  return new Failure({
    code: 'KUBERNETES_UNRELEASED',
    fault: 'usage',
    about: `Kubernetes ${version}`,
    message: 'upstream has no such release',
    hint: 'check --kube-version (in a workflow kube-version); a mirror of --upstream-mirror may not have it yet',
  });
}

/**
 * Returns upstream's answers, a line each, followed by the failed requests for that answer. Without an answer, the
 * message about the gap or the substitute names the failed requests.
 */
export function toldLines({ version, kubeadm, matching, troubles }: ToldFacts): string[] {
  const below = (those: readonly string[] = []): string[] => those.map((trouble) => `  ${trouble}`);
  const ofTold = [...new Set([...matching.keys()].flatMap((name) => troubles?.components.get(name) ?? []))];
  return [
    ...(kubeadm === undefined ? [] : [kubeadmLine(version, kubeadm), ...below(troubles?.kubeadm)]),
    ...(matching.size === 0 ? [] : [componentLine(version, matching), ...below(ofTold)]),
  ];
}

function kubeadmLine(version: KubernetesVersion, { tags, origin }: KubeadmAnswer): string {
  const { etcd, coredns, pause } = tags;
  return `kubeadm ${version} uses etcd ${etcd}, coredns ${coredns} and pause ${pause} (${origin})`;
}

function componentLine(version: KubernetesVersion, matching: ReadonlyMap<string, MatchingTag>): string {
  const parts = [...matching].map(([name, { tag, origin }]) => `${name} ${tag} (${origin})`);
  return `Kubernetes ${version} is packed with ${joinWords(parts)}`;
}
