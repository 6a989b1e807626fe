import { KUBERNETES_REGISTRY } from './image-set-name.ts';
import { namesCommit, namesDay } from './tag-age.ts';

/** An image at its source. */
interface TaggedImage {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
}

/** Words of tags that follow a branch or a channel: each new image of it takes the tag. */
const MOVING_WORD =
  /^(?:latest|nightly|daily|weekly|snapshot|dev|devel|develop|edge|canary|main|master|trunk|head|tip|current|next|rolling|unstable)$/i;
/** A tag that is such a word, or one that means a channel only at the start of a tag. */
const CHANNEL = /^(?:stable|lts|mainline|release|testing|alpha|beta|rc)(?:[-_.]|$)/i;
/** Three or four numbers, at the beginning or after words. The last of these words announces a version. */
const WHOLE_VERSION =
  /^(?:(?:.*[-_])?(?:v|(?:release|version)[-_]?v?))?\d{1,9}(?:\.\d{1,9}){2,3}(?=$|[-_]|[a-z]+\d|\.[a-z]{2,})/i;

/** What a publisher of images is known to do with its tags. */
interface Maker {
  /** The prefixes of the names of its repositories, with their registries. */
  readonly places: readonly string[];
  readonly isFixed: (tag: string) => boolean;
}

const isRebuilt: Maker['isFixed'] = () => false;

/** Images are promoted under a tag once: https://github.com/kubernetes/registry.k8s.io, and k8s.io's promoter. */
const isPromoted: Maker['isFixed'] = (tag) => namesCommit(tag) || !(isChannel(tag) || holdsMovingWord(tag));

/** The namespaces of Docker Hub's official images for one architecture. */
const ARCHITECTURES =
  'amd64 arm32v5 arm32v6 arm32v7 arm64v8 i386 mips64le ppc64le riscv64 s390x winamd64'.split(' ');

const MAKERS: readonly Maker[] = [
  {
    places: [`${KUBERNETES_REGISTRY}/`, 'us-central1-docker.pkg.dev/k8s-artifacts-prod/images/'],
    isFixed: isPromoted,
  },
  // Official images are rebuilt under the same tags when their base is: https://github.com/docker-library/faq
  { places: ['docker.io/library/', 'public.ecr.aws/docker/library/'], isFixed: isRebuilt },
  // https://github.com/docker-library/official-images#architectures-other-than-amd64
  { places: ARCHITECTURES.map((architecture) => `docker.io/${architecture}/`), isFixed: isRebuilt },
  // https://github.com/dotnet/dotnet-docker/blob/main/documentation/supported-tags.md#tag-policies
  { places: ['mcr.microsoft.com/dotnet/'], isFixed: isRebuilt },
  // https://edu.chainguard.dev/chainguard/containers/troubleshooting/inspecting-containers/
  { places: ['cgr.dev/'], isFixed: isRebuilt },
  // All tags but those of a revision are rebuilt: https://github.com/bitnami/containers
  {
    places: ['docker.io/bitnami/', 'docker.io/bitnamilegacy/', 'public.ecr.aws/bitnami/'],
    isFixed: (tag) => /-r\d+$/.test(tag),
  },
  // All tags but those of a build: https://www.linuxserver.io/blog/docker-tags-so-many-tags-so-little-time
  {
    places: ['docker.io/linuxserver/', 'ghcr.io/linuxserver/', 'lscr.io/linuxserver/'],
    isFixed: (tag) => /-ls\d+$/.test(tag),
  },
];

/** Google's mirror has the repositories of Docker Hub under the same names. */
const MIRRORED: ReadonlyMap<string, string> = new Map([['mirror.gcr.io', 'docker.io']]);

/**
 * Returns whether a tag names one image for ever: a whole version (`v1.2.3`, `1.2.3-rc.1`, `3.5.21-0`, `1.2.3-alpine`), a
 * day, or a commit. The known practice of its publisher takes precedence over the form of the tag. When in doubt, returns
 * false: users expect that a tag such as `latest`, `1.36`, `v1`, `nightly` or `1.36-alpine` moves.
 */
export function isFixedTag({ host, repository, tag }: TaggedImage): boolean {
  const name = `${MIRRORED.get(host) ?? host}/${repository}`;
  const maker = MAKERS.find(({ places }) => places.some((place) => name.startsWith(place)));
  if (maker !== undefined) return maker.isFixed(tag);
  if (namesCommit(tag)) return true;
  if (isChannel(tag) || holdsMovingWord(tag)) return false;
  return namesDay(tag) || WHOLE_VERSION.test(tag);
}

/** Returns whether a tag is a channel without a version. */
function isChannel(tag: string): boolean {
  return CHANNEL.test(tag) && !WHOLE_VERSION.test(tag) && !namesDay(tag);
}

function holdsMovingWord(tag: string): boolean {
  return tag.split(/[^0-9a-z]+/i).some((word) => MOVING_WORD.test(word));
}
