import { Failure } from '../../lib/failure.ts';
import type { Host } from '../../registry/oci/reference.ts';
import { EMPTY_IMAGE_SET, type ImageSet } from '../image-set.ts';
import { extraName, KUBERNETES_REGISTRY, withoutKubernetesHost } from '../image-set-name.ts';
import { joinNamedImages } from '../named-image.ts';
import { formatPlace } from '../problem.ts';
import type { FoundImage } from './found-images.ts';

/** What a set of given images depends on, in addition to the images. */
interface SetChoice {
  /** The host of `--source`, which all images of registry.k8s.io come from. */
  readonly source: Host;
  /** A set whose rules apply to the images. The images of this set are left out. */
  readonly rules?: ImageSet | undefined;
}

/**
 * Returns a set of exactly the given images. It takes the rules from another set: patches, minimumAge, signatures and
 * movedTags. Throws `IMAGES_CONTRADICT` if one tag is given with two digests.
 */
export function givenImageSet(
  given: readonly FoundImage[],
  { source, rules = EMPTY_IMAGE_SET }: SetChoice,
): ImageSet {
  const mentions = given.flatMap(({ reference, places }) => {
    const isOfSource = reference.host === source || reference.host === KUBERNETES_REGISTRY;
    const name = isOfSource ? reference.repository : extraName(reference);
    const host = isOfSource ? source : reference.host;
    const all = places.length === 0 ? [undefined] : places;
    return all.map((place) => ({ name, host, reference, place }));
  });
  const { images, contradictions } = joinNamedImages(mentions);
  const [contradiction] = contradictions;
  if (contradiction !== undefined) throw contradictionFailure(contradiction);
  const { file, minimumAge, signatures, movedTags, notices } = rules;
  const names = new Set([...images.keys()].map(withoutKubernetesHost));
  const patches = new Map([...rules.patches].filter(([match]) => names.has(match)));
  const kept = { file, minimumAge, patches, signatures, movedTags, notices };
  return { ...EMPTY_IMAGE_SET, ...kept, extraImages: images };
}

function contradictionFailure({
  about,
  digests,
  places,
}: ReturnType<typeof joinNamedImages>['contradictions'][number]): Failure<'IMAGES_CONTRADICT'> {
  const told = digests.map((digest, index) => {
    const place = places[index];
    return place === undefined ? digest : `${digest} (${formatPlace(place)})`;
  });
  return new Failure({
    code: 'IMAGES_CONTRADICT',
    fault: 'usage',
    about,
    message: `it has two digests, ${told.join(' and ')}, but a tag has one image`,
    hint: 'remove one of them',
  });
}
