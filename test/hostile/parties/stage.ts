import { type Digest, digestOf } from '../../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../../src/registry/oci/manifest.ts';
import type { Fault, FaultHandle } from '../../support/registry/faults.ts';
import type { TestRegistry } from '../../support/registry/registry.ts';
import type { RequestKind } from '../../support/registry/route.ts';
import { seedIndex, seedMade } from '../../support/registry/seed.ts';
import {
  bundleManifest,
  cosignLayer,
  cosignManifest,
  cosignPayload,
  referrersIndex,
  signatureTag,
  statementBundle,
} from '../../support/sigstore/signature.ts';
import type { Signing, TestSigstore } from '../../support/sigstore/sigstore.ts';

/** Whose signatures count. */
export const ME = { identity: 'release@example.com', issuer: 'https://accounts.example.com' };
export const TAG = 'v1.0.0';
/** When genuine images were made. */
const MADE = '2026-02-01T08:00:00Z';
/** Where a cloud tells its machines their credentials. */
export const METADATA = 'https://169.254.169.254/latest/meta-data';

/** Hosts that the registry names, and that should learn nothing. */
export interface Strangers {
  /** Over TLS. */
  readonly elsewhere: TestRegistry;
  readonly plain: TestRegistry;
}

interface Signature {
  /** Under which names; that of the repository unless told. */
  readonly as?: readonly string[];
  readonly by?: Partial<Signing>;
  readonly sigstore?: TestSigstore;
  /** Where the signature is put, if that is not the repository. */
  readonly at?: { readonly registry: TestRegistry; readonly repository: string };
  /** What is signed as it is. */
  readonly payload?: Buffer;
  /** What is signed, where that is not what it is put beside. */
  readonly of?: Digest;
}

interface StageParts {
  readonly registry: TestRegistry;
  readonly repository: string;
  /** Where the maker has it, if that is not the registry. */
  readonly name?: string;
  readonly tag?: string;
  /** What the genuine image is made of, if others have the same layers. */
  readonly seed?: string | undefined;
  readonly strangers: Strangers;
  readonly sigstore: TestSigstore;
}

/** One repository of a registry with one signed image, and the ways to bend what it answers. */
export class Stage {
  readonly registry: TestRegistry;
  readonly repository: string;
  /** The image as signatures name it. */
  readonly name: string;
  readonly tag: string;
  readonly strangers: Strangers;
  /** What the maker released. */
  readonly genuine: Manifest;
  /** Its image for the first platform, with the first layer. */
  readonly child: ReturnType<typeof firstChild>;
  readonly #sigstore: TestSigstore;
  readonly #answers: FaultHandle[] = [];

  constructor({ registry, repository, name, tag = TAG, seed = repository, strangers, sigstore }: StageParts) {
    this.tag = tag;
    this.registry = registry;
    this.repository = repository;
    this.name = name ?? `${registry.host}/${repository}`;
    this.strangers = strangers;
    this.#sigstore = sigstore;
    this.genuine = seedGenuine(registry, repository, { seed, tag });
    this.child = firstChild(registry, repository, this.genuine);
  }

  get storage() {
    return this.registry.storage;
  }

  /** Gives the tag an image of somebody else. */
  forge(options: Parameters<typeof seedIndex>[2] = {}): Manifest {
    return seedIndex(this.storage, this.repository, { seed: 'forged', tags: [this.tag], ...options });
  }

  /** Gives the tag a manifest that is written by hand. */
  offer(body: { readonly mediaType: string }): Manifest {
    const bytes = Buffer.from(JSON.stringify(body));
    this.storage.putManifest(this.repository, bytes, body.mediaType, [this.tag]);
    return parseManifest(bytes, body.mediaType, this.repository);
  }

  /** Puts a signature under cosign's tag. */
  async sign({ digest }: Pick<Manifest, 'digest'>, how: Signature = {}): Promise<void> {
    const { as: [name = this.name] = [], by, sigstore = this.#sigstore, of = digest, at = this } = how;
    const { payload = cosignPayload(of, name) } = how;
    const layer = await cosignLayer(sigstore, payload, { ...ME, ...by });
    seedMade(at.registry.storage, at.repository, signatureTag(digest), cosignManifest([layer]));
  }

  /** Puts a bundle with a statement beside an image. */
  async bundle(image: Manifest, how: Signature & Parameters<typeof statementBundle>[3] = {}): Promise<void> {
    const { as: names = [this.name], by, sigstore = this.#sigstore, of = image.digest, ...statement } = how;
    const bundle = await statementBundle(sigstore, of, { ...ME, ...by }, { names, ...statement });
    this.refer(image, bundle);
  }

  /** Lists something as a bundle that refers to an image. */
  refer(image: Manifest, bundle: object): void {
    const { tag, image: list } = referrersIndex(image.digest, [bundleManifest(bundle, image)]);
    seedMade(this.storage, this.repository, tag, list);
  }

  /** Takes the signature of the image away. */
  unsign(): void {
    this.storage.deleteTag(this.repository, signatureTag(this.genuine.digest));
  }

  /** Answers one kind of question about the repository otherwise, each time. */
  answer(kind: RequestKind, fault: Fault, reference?: string): void {
    const when = (entry: { readonly repository: string; readonly reference: string }): boolean =>
      entry.repository === this.repository && (reference ?? entry.reference) === entry.reference;
    this.#answers.push(this.registry.fail({ match: { kind, when }, times: Number.POSITIVE_INFINITY, fault }));
  }

  /** Whether somebody got one of the other answers, if there are any. */
  get isMet(): boolean {
    return this.#answers.length === 0 || this.#answers.some(({ hits }) => hits > 0);
  }

  /** Keeps the digest of a manifest, and has other bytes under it. */
  replace(digest: Digest, bytes: Buffer): void {
    const { manifests } = this.storage.repository(this.repository);
    const stored = manifests.get(digest);
    if (stored === undefined) throw new Error(`there is no ${digest}`);
    manifests.set(digest, { ...stored, bytes });
  }
}

/** Stores what a maker released; the same seed gives the same image. */
export function seedGenuine(
  { storage }: TestRegistry,
  repository: string,
  { seed, tag = TAG }: { readonly seed: string; readonly tag?: string },
): Manifest {
  return seedIndex(storage, repository, { seed, tags: [tag], created: MADE });
}

/** Returns the image of the first platform of an index, and its first layer. */
function firstChild({ storage }: TestRegistry, repository: string, index: Manifest) {
  const [first] = index.kind === 'index' ? index.manifests : [];
  const stored = first && storage.manifest(repository, first.digest);
  if (stored === undefined) throw new Error('the image has no platforms');
  const child = parseManifest(stored.bytes, stored.mediaType, repository);
  const [layer] = child.kind === 'image' ? child.layers : [];
  if (child.kind !== 'image' || layer === undefined) throw new Error('the image has no layers');
  return { ...child, layer };
}

/** A layer of which the registry says that another host has it, which has other bytes. */
export const LAYER_ELSEWHERE = {
  tries: 'a layer that another host has, with other bytes',
  page: 'security.md',
  says: 'the request with what it writes, without login, token and cookies',
  bend: (stage: Stage): void =>
    stage.answer(
      'blob-get',
      {
        kind: 'redirect',
        location: ({ pathname }) => new URL(pathname, stage.strangers.elsewhere.url).href,
      },
      stage.child.layer.digest,
    ),
} as const;

/** Returns the description of a blob that no registry has. */
export function absent(mediaType: string, text: string) {
  const bytes = Buffer.from(text);
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
