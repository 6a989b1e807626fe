import type { Versions } from '../../config/versions.ts';
import { isToldByMakers, knownComponent } from './known-component.ts';
import { isKnownAs, kubeadmName } from './known-image.ts';
import type { ReleaseKnowledge } from './release-knowledge.ts';
import type { Choice } from './resolution.ts';

/** What packer must ask upstream about the parts of a package. */
export interface OpenQuestions {
  /** Whether to ask which images kubeadm uses. */
  readonly kubeadm: boolean;
  /** The components whose versions to ask for, by their proper names. */
  readonly components: readonly string[];
}

/** Returns whether it matters for a package which images kubeadm of its version uses. */
function needsKubeadm({ images, components }: Versions, { replaced }: Choice): boolean {
  const named = images.filter(({ name }) => kubeadmName(name) !== undefined);
  // The pins are for another version: only kubeadm's own tags show whether they fit this one too.
  if (named.some(({ tag }) => tag === 'auto' || replaced !== undefined)) return true;
  const proper = components.map(({ name, tag }) => ({ name: knownComponent(name)?.name, tag }));
  if (proper.some(({ name, tag }) => name === 'etcd' && tag === 'auto')) return true;
  // The configuration of containerd names the pause image, which then comes in another way.
  const hasPause = images.some(({ name, image }) =>
    isKnownAs({ name, upstream: image ?? { repository: name } }, 'pause'),
  );
  return !hasPause && proper.some(({ name }) => name === 'containerd');
}

/** Returns what a versions.json leaves open about a version, and neither a pin nor `knowledge` answers. */
export function openQuestions(
  versions: Versions,
  choice: Choice,
  knowledge: ReleaseKnowledge,
): OpenQuestions {
  const { version } = choice;
  const automatic = versions.components
    .filter(({ tag }) => tag === 'auto')
    .map(({ name }) => knownComponent(name)?.name ?? name);
  return {
    kubeadm: !knowledge.knowsKubeadm(version) && needsKubeadm(versions, choice),
    components: [...new Set(automatic)].filter(
      (name) => isToldByMakers(name) && !knowledge.knowsTag(name, version),
    ),
  };
}
