import { type Digest, digestHex, digestOf } from '../../../src/registry/oci/digest.ts';
import { type Layer, type LayerRecipe, makeLayer } from './layer.ts';

/** What an image is made of. */
export interface ImageRecipe {
  /** Of all its platforms alike; see `own`. */
  readonly layers?: readonly LayerRecipe[];
  /** Layers that each platform has for itself. */
  readonly own?: readonly LayerRecipe[];
  /** As os/architecture[/variant]. None makes a single image for linux/amd64, one or more make an index. */
  readonly platforms?: readonly string[];
  readonly form?: 'oci' | 'docker';
  /** Whether its index also lists an attestation a platform, of the platform unknown/unknown. */
  readonly attested?: boolean;
}

/** A manifest or index as it is pushed. */
export interface ImageManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** An image with all that has to be pushed before its tag. */
export interface Image extends ImageManifest {
  /** What its index lists, in its order; empty for a single image. */
  readonly children: readonly ImageManifest[];
  readonly blobs: ReadonlyMap<Digest, Buffer>;
}

interface Part {
  readonly manifest: ImageManifest;
  readonly blobs: ReadonlyMap<Digest, Buffer>;
}

const FORMS = {
  oci: {
    index: 'application/vnd.oci.image.index.v1+json',
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

/** Makes images; layers are made once for all that name them. */
export class ImageMaker {
  readonly #layers = new Map<string, Promise<Layer>>();

  async make(recipe: ImageRecipe): Promise<Image> {
    const { platforms, form = 'oci' } = recipe;
    if (platforms === undefined) {
      const { manifest, blobs } = await this.#makePart(recipe, 'linux/amd64');
      return { ...manifest, children: [], blobs };
    }
    const images = await Promise.all(platforms.map((platform) => this.#makePart(recipe, platform)));
    const attestations = recipe.attested === true ? images.map(makeAttestation) : [];
    const entries = [
      ...images.map(({ manifest }, index) => ({
        ...describe(manifest),
        platform: platformOf(platforms[index]),
      })),
      ...attestations.map(({ manifest }, index) => ({
        ...describe(manifest),
        annotations: {
          'vnd.docker.reference.digest': images[index]?.manifest.digest,
          'vnd.docker.reference.type': 'attestation-manifest',
        },
        platform: platformOf('unknown/unknown'),
      })),
    ];
    const parts = [...images, ...attestations];
    const mediaType = FORMS[form].index;
    return {
      ...seal({ schemaVersion: 2, mediaType, manifests: entries }, mediaType),
      children: parts.map(({ manifest }) => manifest),
      blobs: new Map(parts.flatMap(({ blobs }) => [...blobs])),
    };
  }

  async #makePart({ layers = [], own = [], form = 'oci' }: ImageRecipe, platform: string): Promise<Part> {
    const mine = own.map(({ name, size }) => ({ name: `${name}-${platform.replaceAll('/', '-')}`, size }));
    const made = await Promise.all([...layers, ...mine].map((layer) => this.#layer(layer)));
    const { os, ...machine } = platformOf(platform);
    const config = json({
      ...machine,
      os,
      config: { Entrypoint: [`/files/${[...layers, ...mine].at(-1)?.name ?? ''}`] },
      rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
    });
    const types = FORMS[form];
    const body = {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: describe({ bytes: config, mediaType: types.config }),
      layers: made.map(({ bytes }) => describe({ bytes, mediaType: types.layer })),
    };
    const blobs = [
      [digestOf(config), config],
      ...made.map(({ digest, bytes }) => [digest, bytes] as const),
    ] as const;
    return { manifest: seal(body, types.manifest), blobs: new Map(blobs) };
  }

  #layer(recipe: LayerRecipe): Promise<Layer> {
    const key = `${recipe.name} ${recipe.size}`;
    const made = this.#layers.get(key) ?? makeLayer(recipe);
    this.#layers.set(key, made);
    return made;
  }
}

/** Makes what cosign pushes to sign a manifest, and returns the tag that it belongs under. */
export function makeSignature(digest: Digest): { readonly tag: string; readonly image: Image } {
  const payload = json({
    critical: {
      identity: { 'docker-reference': '' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  });
  const { manifest, blobs } = makeArtifact(payload, 'application/vnd.dev.cosign.simplesigning.v1+json', {
    'dev.cosignproject.cosign/signature': Buffer.from(`signature of ${digest}`).toString('base64'),
  });
  return { tag: `sha256-${digestHex(digest)}.sig`, image: { ...manifest, children: [], blobs } };
}

function makeAttestation({ manifest: { digest } }: Part): Part {
  const statement = json({ _type: 'https://in-toto.io/Statement/v0.1', subject: [{ name: '_', digest }] });
  return makeArtifact(statement, 'application/vnd.in-toto+json', {
    'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2',
  });
}

function makeArtifact(content: Buffer, mediaType: string, annotations: Record<string, string>): Part {
  const config = json({
    ...platformOf('unknown/unknown'),
    rootfs: { type: 'layers', diff_ids: [digestOf(content)] },
  });
  const body = {
    schemaVersion: 2,
    mediaType: FORMS.oci.manifest,
    config: describe({ bytes: config, mediaType: FORMS.oci.config }),
    layers: [{ ...describe({ bytes: content, mediaType }), annotations }],
  };
  const blobs = new Map([config, content].map((bytes) => [digestOf(bytes), bytes]));
  return { manifest: seal(body, FORMS.oci.manifest), blobs };
}

function platformOf(text = ''): { os: string; architecture: string; variant?: string } {
  const [os = '', architecture = '', variant] = text.split('/');
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

function describe({ bytes, mediaType }: { readonly bytes: Buffer; readonly mediaType: string }) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function seal(body: object, mediaType: string): ImageManifest {
  const bytes = json(body);
  return { digest: digestOf(bytes), mediaType, bytes };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
