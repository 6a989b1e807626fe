import type { KubeadmAnswer } from '../../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { Failure } from '../../lib/failure.ts';
import { joinWords } from '../../lib/text/sentence.ts';
import type { Makers } from '../../upstream/makers.ts';
import type { OpenQuestions } from '../plan/open-questions.ts';
import type { MatchingTag, ToldFacts } from '../plan/release-knowledge.ts';

/**
 * Asks makers what a plan leaves open, all of it at the same time, and nothing else. Returns what they say of a version, and
 * who was asked in vain. Throws `KUBERNETES_UNRELEASED` if all answered, and have no such version.
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
 * Returns what makers said, a line each, and below it who of them was asked in vain for that. Where nobody said anything, that
 * is for what is told of the gap, or of what is taken instead.
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
