import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { findImages } from '../../src/config/images/image-finder.ts';
import type { CniPlugin, CniRow } from '../../src/config/kubernetes/cni-image-table.ts';
import { Failure } from '../../src/lib/failure.ts';
import type { Reference } from '../../src/registry/oci/reference.ts';
import { refusal } from './refusal.ts';

/** An image as a list of upstream names it. */
export type ListedImage = Pick<CniRow, 'image' | 'tag' | 'use'>;

/** The images of a network plugin at its newest release. */
export interface CniList {
  readonly release: string;
  readonly images: readonly ListedImage[];
}

/** The images that each project publishes itself. Its lists also name images of others. */
const OWN: Readonly<Record<CniPlugin, readonly string[]>> = {
  calico: ['quay.io/calico/', 'quay.io/tigera/'],
  cilium: ['quay.io/cilium/'],
  flannel: ['ghcr.io/flannel-io/'],
};

/** The image that every valid list contains; its tag is the release. */
const MAIN: Readonly<Record<CniPlugin, string>> = {
  calico: 'quay.io/calico/node',
  cilium: 'quay.io/cilium/cilium',
  flannel: 'ghcr.io/flannel-io/flannel',
};

/** What upstream's chart installs with its default values: `envoy.enabled` is on since 1.16. */
const CILIUM_NEEDED: ReadonlySet<string> = new Set([
  'quay.io/cilium/cilium',
  'quay.io/cilium/cilium-envoy',
  'quay.io/cilium/operator-generic',
]);

/** More than twice the images of any plugin. */
const MOST_IMAGES = 60;
const LONGEST_NAME = 512;
const IMAGE = /^[a-z0-9.-]+\.[a-z]+(?:\/[a-z0-9][a-z0-9._-]*)+$/;
/** The tag of an image that is named without one; no release has it. */
const UNTAGGED = 'latest';
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Returns the images that the containers of a manifest name, each once; none for a text that is not a manifest. */
export function imagesInManifest(text: string): Omit<ListedImage, 'use'>[] {
  return manifestReferences(text).flatMap(({ host, repository, tag }) =>
    tag === undefined || tag === UNTAGGED ? [] : [{ image: `${host}/${repository}`, tag }],
  );
}

function manifestReferences(text: string): Reference[] {
  try {
    return findImages('manifest', Buffer.from(text)).images.map(({ reference }) => reference);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [];
  }
}

/** Returns the images of a release that the operator of calico installs, by its `pkg/components/calico.go`. */
export function imagesOfOperator(text: string, release: string): Omit<ListedImage, 'use'>[] {
  const components = text.matchAll(/Version:\s*"([^"\n]*)",\s*Image:\s*"([^"\n]*)",/g);
  return [...components].flatMap(([, version = '', name = '']) =>
    version === release ? [{ image: `quay.io/calico/${name}`, tag: version }] : [],
  );
}

const imageShape = z.looseObject({ repository: z.string(), tag: z.string() });

/**
 * Returns the images that the values of cilium's chart name, each once. The operator has an image for each cloud, whose
 * name the chart appends; these have a digest of their own.
 */
export function imagesInValues(text: string): Omit<ListedImage, 'use'>[] {
  const found = new Map<string, Omit<ListedImage, 'use'>>();
  const add = (image: string, tag: string): void => {
    found.set(image, { image, tag });
  };
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (value.length > LONGEST_NAME) return;
      const [, image, tag] =
        /^([^\s:@]+\/[^\s:@]+):([^\s:@]+)(?:@\S+)?$/.exec(key === 'image' ? value : '') ?? [];
      if (image !== undefined && tag !== undefined) add(image, tag);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const { data } = imageShape.safeParse(value);
    if (data !== undefined && data.repository !== '') {
      const clouds = Object.keys(data).flatMap((name) => /^([a-z]+)Digest$/.exec(name)?.[1] ?? []);
      const variants = clouds.filter((cloud) => cloud !== 'use');
      if (variants.length === 0) add(data.repository, data.tag.replace(/@.*$/, ''));
      for (const cloud of variants) add(`${data.repository}-${cloud}`, data.tag.replace(/@.*$/, ''));
    }
    for (const [name, inner] of Object.entries(value)) visit(inner, name);
  };
  visit(readYaml(text), '');
  return [...found.values()];
}

function readYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 10 });
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw refusal('cilium', `its values are no YAML: ${error.code}`);
  }
}

/** Returns the images of a plugin from the files of a release; the first file shows which are needed. */
export function listOf(
  plugin: CniPlugin,
  release: string,
  images: readonly Omit<ListedImage, 'use'>[],
  needed: ReadonlySet<string> = CILIUM_NEEDED,
): CniList {
  const own = images.filter(({ image }) => OWN[plugin].some((start) => image.startsWith(start)));
  const listed = [...new Map(own.map((each) => [each.image, each])).values()]
    .filter(({ image }) => !image.endsWith('-windows'))
    .map((each): ListedImage => ({ ...each, use: needed.has(each.image) ? 'needed' : 'optional' }));
  const main = listed.find(({ image }) => image === MAIN[plugin]);
  if (main?.tag !== release || main.use !== 'needed') {
    throw refusal(plugin, `its list at ${release} does not name ${MAIN[plugin]}:${release}`);
  }
  const odd = listed.find(({ image, tag }) => !IMAGE.test(image) || !TAG.test(tag));
  if (odd !== undefined) throw refusal(plugin, `its list names ${JSON.stringify(`${odd.image}:${odd.tag}`)}`);
  if (listed.length > MOST_IMAGES) throw refusal(plugin, `its list names ${listed.length} images`);
  return { release, images: listed };
}
