import { type KubeadmImage, kubeadmMinors } from '../../config/kubernetes/kubeadm-tags.ts';
import type { ImageEntry } from '../../config/versions.ts';
import { formatReference, parseTag, type Tag } from '../../registry/oci/reference.ts';
import { type ImageSource, pullCandidates } from './image-source.ts';
import { architectureOf, isKubernetesImage, kubeadmName, upstreamOf } from './known-image.ts';
import type { ImagePlan } from './plan.ts';
import { withTroubles } from './release-knowledge.ts';
import { automaticTag, type Resolution, type ResolvedTag } from './resolution.ts';

function automaticKubeadmTag(
  image: KubeadmImage,
  entry: ImageEntry,
  { choice: { version }, knowledge, findings }: Resolution,
): ResolvedTag | undefined {
  const answer = knowledge.kubeadm(version);
  const place = entry.place('tag');
  if (answer === undefined) {
    const { oldest, newest } = kubeadmMinors();
    const problem = `packer does not know which ${image} belongs to Kubernetes ${version} (known are 1.${oldest} to 1.${newest}); set its tag`;
    findings.gap(place, withTroubles(problem, knowledge.troubles.kubeadm));
    return undefined;
  }
  const { warning, tags, origin } = answer;
  if (warning !== undefined) findings.notice(withTroubles(warning, knowledge.troubles.kubeadm), place);
  return { tag: tags[image], origin };
}

/** Compares a tag of the file with kubeadm's own, if that is known. */
function checkKubeadmTag(
  image: KubeadmImage,
  tag: Tag,
  { entry, resolution }: { readonly entry: ImageEntry; readonly resolution: Resolution },
): void {
  const { choice, knowledge, findings } = resolution;
  const { version, replaced } = choice;
  const answer = knowledge.kubeadm(version);
  const wanted = answer?.tags[image];
  if (answer?.warning !== undefined || wanted === undefined || wanted === tag) return;
  const belongsTo = knowledge.versionsOf(image, tag);
  if (replaced !== undefined && belongsTo.length > 0) {
    findings.problem(
      entry.place('tag'),
      `${image} ${tag} belongs to Kubernetes ${belongsTo.join(', ')}, but ${version} needs ${wanted}: set that tag, or "auto"`,
    );
  } else {
    findings.notice(
      `kubeadm ${version} needs ${image} ${wanted}, but the file pins ${tag}`,
      entry.place('tag'),
    );
  }
}

function tagOf(entry: ImageEntry, resolution: Resolution): ResolvedTag | undefined {
  const { version } = resolution.choice;
  const { name, tag } = entry;
  if (isKubernetesImage(name)) return { tag: parseTag(`v${version}`) };
  const kubeadm = kubeadmName(name);
  if (tag !== 'auto') {
    if (kubeadm !== undefined) checkKubeadmTag(kubeadm, tag, { entry, resolution });
    return { tag };
  }
  if (kubeadm !== undefined) return automaticKubeadmTag(kubeadm, entry, resolution);
  const problem = `packer does not know which ${name} matches Kubernetes ${version}; set its tag`;
  return automaticTag(name, { place: entry.place('tag'), problem }, resolution);
}

function checkEntry(entry: ImageEntry, { choice, findings }: Resolution): void {
  const other = architectureOf(entry.name);
  if (other !== undefined && other !== choice.arch) {
    findings.problem(
      entry.place('name'),
      `${entry.name} is an image for ${other}, but the package is for ${choice.arch}; remove the architecture from the name`,
    );
  }
  if (entry.image?.digest !== undefined && choice.replaced !== undefined && isKubernetesImage(entry.name)) {
    findings.problem(
      entry.place('image'),
      `this digest belongs to Kubernetes ${choice.replaced}, but the package is for ${choice.version}`,
    );
  }
}

/** Makes sure that no two images have the same name, in the package or where they are pulled from. */
export function requireOwnNames(plans: readonly ImagePlan[], { findings }: Resolution): void {
  const taken = new Map<string, ImagePlan>();
  for (const plan of plans) {
    const upstream = formatReference(plan.upstream);
    const from = plan.candidates[0]?.reference ?? plan.upstream;
    // Without a tag an image is pulled by its digest, and other images of its repository may be too.
    const pulled = formatReference(from.tag === undefined ? { ...from, digest: plan.digest } : from);
    const known = taken.get(upstream) ?? taken.get(pulled);
    if (known !== undefined) {
      findings.problem(
        plan.place,
        formatReference(known.upstream) === upstream
          ? `${plan.name} is the same image as ${known.name}`
          : `${upstream} and ${formatReference(known.upstream)} would both be pulled as ${pulled}`,
      );
    }
    taken.set(upstream, plan);
    taken.set(pulled, plan);
  }
}

/** Returns the plan for each image of a file, for one version of Kubernetes and one architecture. */
export function resolveImages(
  entries: readonly ImageEntry[],
  source: ImageSource,
  resolution: Resolution,
): ImagePlan[] {
  return entries.flatMap((entry): ImagePlan[] => {
    checkEntry(entry, resolution);
    const found = tagOf(entry, resolution);
    if (found === undefined) return [];
    const { digest, ...upstream } = upstreamOf(entry.name, found.tag, entry.image);
    const candidates = pullCandidates(source, upstream, resolution.choice.arch);
    const { origin } = found;
    return [{ name: entry.name, upstream, digest, origin, candidates, place: entry.place() }];
  });
}
