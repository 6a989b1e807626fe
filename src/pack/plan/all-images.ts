import type { FoundImage } from '../../config/images/found-images.ts';
import type { Place } from '../../lib/reporter.ts';
import { digestTag } from '../../registry/oci/digest-tag.ts';
import { formatReference, parseTag, type Reference } from '../../registry/oci/reference.ts';
import type { ManifestImage } from '../manifest/addon-manifest.ts';
import { type ImageSource, pullCandidates } from './image-source.ts';
import { addonOfImage } from './known-addon.ts';
import { basenameOf } from './known-image.ts';
import type { AddonPlan, ImagePlan } from './plan.ts';
import type { Resolution } from './resolution.ts';

function repositoryOf({ host, repository }: Reference): string {
  return `${host}/${repository}`;
}

/** Returns the shortest name that no other image with this tag has. */
function freeName({ host, repository, tag }: Reference, images: readonly ImagePlan[]): string {
  const taken = new Set(images.flatMap(({ name, upstream }) => (upstream.tag === tag ? [name] : [])));
  const names = [basenameOf(repository), repository];
  return names.find((name) => !taken.has(name)) ?? `${host.replace(/[^a-z0-9]+/g, '-')}/${repository}`;
}

/** What names an image in addition to the versions.json: an add-on, or `--images`. */
interface NamedBy {
  readonly name: string;
  readonly place: Place;
}

/**
 * All images, each once: those listed in the versions.json, those that only a manifest names, and those of `--images`.
 */
class AllImages {
  readonly images: ImagePlan[];
  readonly #source: ImageSource;
  readonly #resolution: Resolution;

  constructor(listed: readonly ImagePlan[], source: ImageSource, resolution: Resolution) {
    this.images = [...listed];
    this.#source = source;
    this.#resolution = resolution;
  }

  addOfAddon(image: ManifestImage, addon: AddonPlan): void {
    this.#add(image, addon, `the manifest of ${addon.name}`, () => freeName(image.name, this.images));
  }

  addGiven({ reference, places }: FoundImage, file: string): void {
    const { host, repository, tag, digest } = reference;
    const made = digest === undefined ? parseTag('latest') : digestTag(digest);
    const untagged = tag === undefined && digest !== undefined ? 'digest' : undefined;
    const image = { name: { host, repository, tag: tag ?? made }, digest, untagged } as const;
    const by = { name: '--images', place: places[0] ?? { file, line: 1, column: 1 } };
    this.#add(image, by, by.name, () => `${host.replace(/[^a-z0-9.-]+/g, '-')}/${repository}`);
  }

  #add(image: ManifestImage, by: NamedBy, subject: string, newName: () => string): void {
    const name = formatReference(image.name);
    const at = this.images.findIndex(({ upstream }) => formatReference(upstream) === name);
    const known = this.images[at];
    if (known === undefined) this.images.push(this.#planOf(image, by, newName()));
    else this.images.splice(at, 1, this.#joined(known, image, { ...by, subject }));
  }

  /** Returns the plan of an image that is named twice; a digest in one place applies to both. */
  #joined(known: ImagePlan, image: ManifestImage, by: NamedBy & { readonly subject: string }): ImagePlan {
    const { digest } = image;
    if (digest === undefined || known.digest === digest) return known;
    if (known.digest === undefined) return { ...known, digest, pinnedBy: by.name };
    const other = known.pinnedBy === undefined ? 'this file' : known.pinnedBy;
    this.#resolution.findings.problem(
      by.place,
      `${by.subject} pins ${formatReference(image.name)} to ${digest}, ${other} to ${known.digest}`,
    );
    return known;
  }

  #planOf({ name, digest, untagged }: ManifestImage, by: NamedBy, ownName: string): ImagePlan {
    const { choice } = this.#resolution;
    // Only the package uses a tag that was made from the digest of an image.
    const asked = untagged === 'digest' ? { host: name.host, repository: name.repository } : name;
    return {
      name: ownName,
      upstream: name,
      digest,
      pinnedBy: digest === undefined ? undefined : by.name,
      candidates: pullCandidates(this.#source, asked, choice.arch),
      place: by.place,
    };
  }
}

function noticeTags(
  addons: readonly AddonPlan[],
  listed: readonly ImagePlan[],
  { findings }: Resolution,
): void {
  for (const { name, manifest, place } of addons) {
    for (const image of manifest?.images ?? []) {
      const written = formatReference(image.name);
      if (image.untagged === 'latest') {
        const bare = repositoryOf(image.name);
        findings.notice(`${name} uses ${bare} without a tag; packer packs the current latest`, place);
      }
      const others = listed.filter(({ upstream }) => repositoryOf(upstream) === repositoryOf(image.name));
      const isListed = others.some(({ upstream }) => formatReference(upstream) === written);
      for (const { upstream, place: listedAt } of isListed ? [] : others) {
        findings.notice(
          `${name} uses ${written}, not the ${upstream.tag} of this list, which nothing in the package uses; remove it here`,
          listedAt,
        );
      }
    }
  }
}

function noticeNetworks(addons: readonly AddonPlan[], hasPlugins: boolean, { findings }: Resolution): void {
  const networks = addons.filter(({ manifest }) => manifest?.podNetwork !== undefined);
  const [first, second] = networks;
  if (first !== undefined && second !== undefined) {
    findings.notice(
      `${first.name} and ${second.name} are both pod networks, but a cluster can have only one`,
      second.place,
    );
  }
  for (const { name, manifest, place } of networks) {
    if (manifest?.podNetwork?.needsPlugins !== true || hasPlugins) continue;
    findings.notice(
      `${name} needs the CNI plugins bridge, host-local and portmap, but the package will not contain them; ` +
        'add { "name": "cni", "tag": "auto" } to "components"',
      place,
    );
  }
}

/**
 * Adds a notice for images that are listed without the add-on that runs them: the package contains them, but nothing
 * that uses them.
 */
function noticeUnused(
  addons: readonly AddonPlan[],
  listed: readonly ImagePlan[],
  { findings }: Resolution,
): void {
  const names = new Set(addons.map(({ name }) => name));
  for (const { upstream, place } of listed) {
    const addon = addonOfImage(repositoryOf(upstream));
    if (addon === undefined || names.has(addon)) continue;
    findings.notice(
      `${repositoryOf(upstream)} is packed without a manifest that uses it; set "addons": ["${addon}"], which also adds its images`,
      place,
    );
  }
}

/**
 * Returns the listed images, those that manifests of add-ons name, and those of `--images`, each once. `hasPlugins` is
 * whether the package contains the CNI plugins, and `file` the path of the versions.json.
 */
export function allImages(
  listed: readonly ImagePlan[],
  addons: readonly AddonPlan[],
  {
    given,
    file,
    source,
    hasPlugins,
    resolution,
  }: {
    readonly given: readonly FoundImage[];
    readonly file: string;
    readonly source: ImageSource;
    readonly hasPlugins: boolean;
    readonly resolution: Resolution;
  },
): ImagePlan[] {
  const all = new AllImages(listed, source, resolution);
  for (const addon of addons) for (const image of addon.manifest?.images ?? []) all.addOfAddon(image, addon);
  for (const image of given) all.addGiven(image, file);
  noticeTags(addons, listed, resolution);
  noticeNetworks(addons, hasPlugins, resolution);
  noticeUnused(addons, listed, resolution);
  return all.images;
}
