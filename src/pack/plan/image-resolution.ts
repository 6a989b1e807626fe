import { architecturesIn } from '../../config/kubernetes/architecture.ts';
import {
  isKubeadmImage,
  type KubeadmImage,
  kubeadmMinors,
  kubeadmTags,
  kubeadmVersionsOf,
} from '../../config/kubernetes/kubeadm-tags.ts';
import type { ImageEntry } from '../../config/versions.ts';
import { formatReference, parseTag, type Tag } from '../../registry/oci/reference.ts';
import { matchingTag } from './component-matrix.ts';
import { type ImageSource, pullCandidates } from './image-source.ts';
import { isKubernetesImage, upstreamOf } from './known-image.ts';
import type { ImagePlan } from './plan.ts';
import type { Resolution } from './resolution.ts';

/** Returns the name of an image in kubeadm's table, in which `coredns/coredns` is coredns; undefined if it has none. */
function kubeadmName(name: string): KubeadmImage | undefined {
  const short = name === 'coredns/coredns' ? 'coredns' : name;
  return isKubeadmImage(short) ? short : undefined;
}

function kubeadmTag(
  image: KubeadmImage,
  entry: ImageEntry,
  { choice, findings }: Resolution,
): Tag | undefined {
  const { version, replaced } = choice;
  const answer = kubeadmTags(version);
  if (answer?.warning !== undefined) findings.notice(answer.warning, entry.place('tag'));
  const wanted = answer?.tags[image];
  if (entry.tag === 'auto') {
    const { oldest, newest } = kubeadmMinors();
    if (wanted === undefined) {
      findings.problem(
        entry.place('tag'),
        `which ${image} belongs to Kubernetes ${version} is not known (known are 1.${oldest} to 1.${newest}); write its tag`,
      );
    }
    return wanted;
  }
  if (wanted === undefined || wanted === entry.tag) return entry.tag;
  const belongsTo = kubeadmVersionsOf(image, entry.tag);
  if (replaced !== undefined && belongsTo.length > 0) {
    findings.problem(
      entry.place('tag'),
      `${image} ${entry.tag} belongs to Kubernetes ${belongsTo.join(', ')}; ${version} wants ${wanted}: write that, or "auto"`,
    );
  } else {
    findings.notice(
      `kubeadm ${version} wants ${image} ${wanted}, the file pins ${entry.tag}`,
      entry.place('tag'),
    );
  }
  return entry.tag;
}

function tagOf(entry: ImageEntry, resolution: Resolution): Tag | undefined {
  const { choice, findings } = resolution;
  if (isKubernetesImage(entry.name)) return parseTag(`v${choice.version}`);
  const kubeadm = kubeadmName(entry.name);
  if (kubeadm !== undefined) return kubeadmTag(kubeadm, entry, resolution);
  if (entry.tag !== 'auto') return entry.tag;
  const tag = matchingTag(entry.name, choice.version);
  if (tag === undefined) {
    findings.problem(
      entry.place('tag'),
      `which ${entry.name} goes with Kubernetes ${choice.version} is not known here; write its tag`,
    );
  }
  return tag;
}

function checkEntry(entry: ImageEntry, { choice, findings }: Resolution): void {
  const [other] = architecturesIn(entry.name).filter((word) => word !== choice.arch);
  if (other !== undefined) {
    findings.problem(
      entry.place('name'),
      `${entry.name} is an image for ${other}, the package is for ${choice.arch}; leave the architecture out of the name`,
    );
  }
  if (entry.image?.digest !== undefined && choice.replaced !== undefined && isKubernetesImage(entry.name)) {
    findings.problem(
      entry.place('image'),
      `this digest belongs to Kubernetes ${choice.replaced}, the package is for ${choice.version}`,
    );
  }
}

function checkNames(plans: readonly ImagePlan[], { findings }: Resolution): void {
  const taken = new Map<string, ImagePlan>();
  for (const plan of plans) {
    const upstream = formatReference(plan.upstream);
    const pulled = plan.candidates[0]?.reference ?? plan.upstream;
    const known = taken.get(upstream) ?? taken.get(formatReference(pulled));
    if (known !== undefined) {
      findings.problem(
        plan.place,
        formatReference(known.upstream) === upstream
          ? `${plan.name} is the same image as ${known.name}`
          : `${upstream} and ${formatReference(known.upstream)} would both be pulled as ${formatReference(pulled)}`,
      );
    }
    taken.set(upstream, plan);
    taken.set(formatReference(pulled), plan);
  }
}

/** Returns the plan for each image of a file, for one version of Kubernetes and one architecture. */
export function resolveImages(
  entries: readonly ImageEntry[],
  source: ImageSource,
  resolution: Resolution,
): ImagePlan[] {
  const plans = entries.flatMap((entry): ImagePlan[] => {
    checkEntry(entry, resolution);
    const tag = tagOf(entry, resolution);
    if (tag === undefined) return [];
    const { digest, ...upstream } = upstreamOf(entry.name, tag, entry.image);
    const candidates = pullCandidates(source, upstream, resolution.choice.arch);
    return [{ name: entry.name, upstream, digest, candidates, place: entry.place() }];
  });
  checkNames(plans, resolution);
  return plans;
}
