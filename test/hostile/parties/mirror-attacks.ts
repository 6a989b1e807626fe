import { gzipSync, zstdCompressSync } from 'node:zlib';
import { MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import { bytesContent } from '../../support/registry/content.ts';
import { seedOtherLayers } from '../../support/registry/other-layers.ts';
import { TestSigstore } from '../../support/sigstore/sigstore.ts';
import { NOT_INWARD, type Promised } from './promise.ts';
import { absent, LAYER_ELSEWHERE, METADATA, type Stage, TAG } from './stage.ts';

/** What becomes of an image that is to be packed, and whether what is packed is what its maker released. */
export type PackEnding =
  | {
      readonly packed: 'genuine' | 'offered';
      /** Who vouches for it, and what was compared where the mirror has it under another digest. */
      readonly check: 'upstream' | 'upstream, unpacked-layers' | 'mirror-only' | 'pin';
      readonly signature?: 'verified' | 'unverified';
    }
  /** There is no package, and these words say why. */
  | {
      readonly refused: string;
      /** Where layers give it away, which are fetched when nothing else is wrong. */
      readonly with?: 'layers';
      /** Where the words are about the registry, as each of its images may end so. */
      readonly of?: 'registry';
    };

export interface PackEndings {
  readonly off: PackEnding;
  readonly warn: PackEnding;
  readonly require: PackEnding;
}

export interface MirrorAttack extends Promised {
  /** What a hostile mirror does. */
  readonly tries: string;
  /** Where the registry of the maker cannot be reached. */
  readonly isWalled?: true;
  /** Where versions.json has the digest of the image. */
  readonly isPinned?: true;
  readonly bend: (stage: Stage) => void | Promise<void>;
  readonly ends: PackEndings;
}

function always(refused: string, of?: 'registry'): PackEndings {
  const ending = { refused, ...(of && { of }) };
  return { off: ending, warn: ending, require: ending };
}

/** The layers give it away. */
function byLayers(refused: string, of?: 'registry'): PackEndings {
  const ending = { refused, with: 'layers', ...(of && { of }) } as const;
  return { off: ending, warn: ending, require: ending };
}

/** As nobody signs what a mirror makes of an image, that is what ends it where a signature is wanted. */
function butUnsigned(ending: PackEnding): PackEndings {
  const signature = 'packed' in ending ? { signature: 'unverified' as const } : {};
  return { off: ending, warn: { ...ending, ...signature }, require: { refused: 'it has no signature' } };
}

function packed(ending: Extract<PackEnding, { packed: string }>): PackEndings {
  return {
    off: ending,
    warn: { ...ending, signature: 'verified' },
    require: { ...ending, signature: 'verified' },
  };
}

const IN_VAIN = packed({ packed: 'genuine', check: 'upstream' });

/** Only a signature can tell, as the maker cannot be asked; and the package says so. */
function unlessRequired(refused: string): PackEndings {
  const told = { packed: 'offered', check: 'mirror-only' } as const;
  return { off: told, warn: { ...told, signature: 'unverified' }, require: { refused } };
}

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const FOREIGN_LAYER = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';

const HELD = {
  page: 'security.md',
  says: 'packer verifies every image and component of a package with the upstream digest, signature or checksum file, or with your pin. Otherwise it marks it `mirror-only`',
} as const;
const WHOLE = {
  page: 'pack.md',
  says: 'These are errors, and no package is written: an image that differs from upstream, even in one layer; an image for another architecture; and a download that does not match its checksum.',
} as const;
const HASHED = {
  page: 'security.md',
  says: 'Every layer, manifest and configuration is hashed on its way. One that does not match its digest is never completed.',
} as const;
const REQUIRED = {
  page: 'security.md',
  says: 'With `--verify-signatures require` an image is copied or packed only if its publisher signed it under its name.',
} as const;
/** The genuine configuration with what `change` makes of the unpacked layers. */
function relayer(change: (unpacked: readonly Buffer[]) => readonly Buffer[]): (stage: Stage) => void {
  return ({ storage, repository, child }) => void seedOtherLayers(storage, repository, child, [TAG], change);
}

const zip = (tar: Buffer): Buffer => gzipSync(tar);

const IMAGE_ATTACKS: readonly MirrorAttack[] = [
  {
    tries: 'another image under the tag',
    ...WHOLE,
    bend: (stage) => void stage.forge(),
    ends: always('it differs from'),
  },
  {
    tries: 'the same where the maker cannot be asked',
    ...HELD,
    isWalled: true,
    bend: (stage) => void stage.forge(),
    ends: unlessRequired('has no signature for it'),
  },
  {
    tries: 'the genuine configuration with another layer',
    ...WHOLE,
    bend: relayer(([, ...rest]) => [Buffer.from('another'), ...rest].map(zip)),
    ends: butUnsigned({ refused: 'it has the same configuration but different layers', with: 'layers' }),
  },
  {
    tries: 'the same where the maker cannot be asked, with the signature of the genuine image',
    ...HELD,
    isWalled: true,
    bend: relayer(([, ...rest]) => [Buffer.from('another'), ...rest].map(zip)),
    ends: unlessRequired('has no signature for it'),
  },
  {
    tries: 'the genuine configuration with one layer more',
    ...WHOLE,
    bend: relayer((layers) => [...layers, Buffer.from('one more')].map(zip)),
    ends: always('it has the same configuration but different layers'),
  },
  {
    tries: 'the genuine configuration with one layer less',
    ...WHOLE,
    bend: relayer((layers) => layers.slice(1).map(zip)),
    ends: always('it has the same configuration but different layers'),
  },
  {
    tries: 'the genuine configuration with its layers in another order',
    ...WHOLE,
    bend: relayer((layers) => layers.toReversed().map((tar) => gzipSync(tar, { level: 1 }))),
    ends: butUnsigned({ refused: 'it has the same configuration but different layers', with: 'layers' }),
  },
  {
    tries: 'an index of its own with another image beside the genuine one',
    ...WHOLE,
    bend: (stage) => {
      const { digest, mediaType, bytes } = stage.child;
      const forged = stage.forge({ platforms: ['linux/amd64'], tags: [] });
      const listed = forged.kind === 'index' ? forged.manifests : [];
      const platform = { os: 'linux', architecture: 'amd64', variant: 'v3' };
      const manifests = [...listed, { mediaType, digest, size: bytes.length, platform }];
      stage.offer({ mediaType: MEDIA_TYPE.ociIndex, ...{ schemaVersion: 2, manifests } });
    },
    ends: always('it differs from'),
  },
  {
    tries: 'the image of another architecture, listed as the wanted one',
    ...WHOLE,
    bend: (stage) => {
      const forged = stage.forge({ platforms: ['linux/arm64'], tags: [] });
      const [listed] = forged.kind === 'index' ? forged.manifests : [];
      const manifests = [{ ...listed, platform: { os: 'linux', architecture: 'amd64' } }];
      stage.offer({ mediaType: MEDIA_TYPE.ociIndex, ...{ schemaVersion: 2, manifests } });
    },
    ends: always('linux/arm64'),
  },
  {
    tries: 'another image under the digest of the genuine one',
    ...HASHED,
    bend: (stage) => {
      const { bytes } = stage.forge({ tags: [] });
      stage.answer('manifest-get', {
        kind: 'status',
        status: 200,
        headers: { 'content-type': MEDIA_TYPE.ociIndex, 'docker-content-digest': stage.genuine.digest },
        body: bytes.toString('utf8'),
      });
    },
    ends: always('another digest'),
  },
  {
    tries: 'another image under the digest that the genuine index lists',
    ...HASHED,
    bend: (stage) => {
      const { bytes, digest } = stage.child;
      stage.replace(digest, Buffer.from(bytes.toString('utf8').replace('"layers":[', '"layers":[ ')));
    },
    ends: always('another digest'),
  },
  {
    tries: 'another image under the digest that versions.json pins',
    page: 'security.md',
    says: 'with the upstream digest, signature or checksum file, or with your pin',
    isPinned: true,
    bend: (stage) => stage.replace(stage.genuine.digest, stage.forge().bytes),
    ends: always('another digest'),
  },
  {
    tries: 'another image under the tag of one whose digest versions.json pins',
    page: 'pack.md',
    says: '`@sha256:…` at its end pins the digest.',
    isPinned: true,
    bend: (stage) => void stage.forge(),
    ends: packed({ packed: 'genuine', check: 'pin' }),
  },
  {
    tries: 'a configuration that is none',
    ...HELD,
    isWalled: true,
    bend: (stage) => {
      const { layers, mediaType, config } = stage.child;
      const bytes = Buffer.from('[{}]');
      const digest = stage.storage.putBlob(stage.repository, bytesContent(bytes));
      const described = { ...config, digest, size: bytes.length };
      stage.offer({ mediaType, ...{ schemaVersion: 2, config: described, layers } });
    },
    ends: always('its configuration does not state a platform'),
  },
  {
    tries: 'other bytes of a configuration',
    ...HASHED,
    bend: (stage) => stage.answer('blob-get', { kind: 'wrong-bytes' }, stage.child.config.digest),
    ends: always('hashes to'),
  },
  {
    tries: 'other bytes of a layer, of the same length',
    ...HASHED,
    bend: (stage) => stage.answer('blob-get', { kind: 'wrong-bytes' }, stage.child.layer.digest),
    ends: byLayers('hashes to'),
  },
  {
    tries: 'another image under the tag while the genuine one is looked at',
    ...HASHED,
    bend: (stage) => {
      const { digest } = stage.forge({ tags: [] });
      const when = ({ repository }: { repository: string }) => repository === stage.repository;
      stage.storage.repository(stage.repository).tags.set(TAG, stage.genuine.digest);
      const moved = stage.registry.journal.next({ kind: 'blob-get', when }).then(() => {
        stage.storage.repository(stage.repository).tags.set(TAG, digest);
      });
      stage.registry.fail({ match: { kind: 'blob-get', when }, fault: { kind: 'hold', until: moved } });
    },
    ends: IN_VAIN,
  },
  {
    tries: 'genuine layers that it compressed again, with gzip',
    page: 'pack.md',
    says: '`unpacked-layers` (the layers were compressed again and unpack to what the upstream configuration lists)',
    bend: relayer((layers) => layers.map((tar) => gzipSync(tar, { level: 1, memLevel: 1 }))),
    ends: butUnsigned({ packed: 'offered', check: 'upstream, unpacked-layers' }),
  },
  {
    tries: 'genuine layers that it compressed again, with zstd',
    page: 'pack.md',
    says: '`unpacked-layers` (the layers were compressed again and unpack to what the upstream configuration lists)',
    bend: relayer((layers) => layers.map((tar) => zstdCompressSync(tar))),
    ends: butUnsigned({ packed: 'offered', check: 'upstream, unpacked-layers' }),
  },
];

const ADDRESS_ATTACKS: readonly MirrorAttack[] = [
  {
    tries: 'a redirect of a layer to what a cloud tells its machines',
    ...NOT_INWARD,
    bend: (stage) =>
      stage.answer('blob-get', { kind: 'redirect', location: METADATA }, stage.child.layer.digest),
    ends: byLayers('an internal service of a cloud', 'registry'),
  },
  {
    tries: 'a redirect of a manifest to plain HTTP',
    ...NOT_INWARD,
    bend: (stage) =>
      stage.answer('manifest-get', {
        kind: 'redirect',
        location: ({ pathname }) => new URL(pathname, stage.strangers.plain.url).href,
      }),
    ends: always('it leads from HTTPS to plain HTTP', 'registry'),
  },
  {
    ...LAYER_ELSEWHERE,
    ends: byLayers('it ended after'),
  },
  {
    tries: 'a layer that it does not have, at addresses in the manifest',
    ...HELD,
    isWalled: true,
    bend: async (stage) => {
      const { config, mediaType } = stage.child;
      const layers = [
        { ...absent(LAYER, stage.name), urls: [METADATA, `${stage.strangers.plain.url}/layer`] },
      ];
      await stage.sign(stage.offer({ mediaType, ...{ schemaVersion: 2, config, layers } }));
    },
    ends: byLayers('404'),
  },
  {
    tries: 'the same with a layer of a type that is not distributed',
    ...HELD,
    isWalled: true,
    bend: async (stage) => {
      const { config, mediaType } = stage.child;
      const urls = [METADATA, `${stage.strangers.plain.url}/layer`];
      const layers = [{ ...absent(FOREIGN_LAYER, stage.name), urls }];
      await stage.sign(stage.offer({ mediaType, ...{ schemaVersion: 2, config, layers } }));
    },
    ends: byLayers('404'),
  },
  {
    tries: 'commands for a workflow and a terminal in what it complains of',
    page: 'security.md',
    says: 'Texts of others are data: they become no command of a workflow, no markup or link of a summary, no escape of a terminal.',
    bend: (stage) => {
      const message = '\u001b[2J\u009b31m\n::add-mask::v\r\n::set-output name=a::b';
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message }] });
      stage.answer('manifest-get', { kind: 'status', status: 403, body });
    },
    ends: always('DENIED'),
  },
  {
    tries: 'to have nothing under the tag',
    ...HELD,
    bend: (stage) => void stage.storage.deleteTag(stage.repository, TAG),
    ends: always('not found; tried'),
  },
];

/** The maker cannot be asked: what counts is the signature alone. */
const SIGNATURE_ATTACKS = [
  {
    tries: 'the signature of the genuine image beside a forged one',
    bend: (stage: Stage) => stage.sign(stage.forge(), { of: stage.genuine.digest }),
  },
  {
    tries: 'the bundle of the genuine image beside a forged one',
    bend: (stage: Stage) => stage.bundle(stage.forge(), { of: stage.genuine.digest }),
  },
  {
    tries: 'a signature by somebody else',
    bend: (stage: Stage) =>
      stage.sign(stage.forge(), { by: { identity: 'release@example.com.evil.example' } }),
  },
  {
    tries: 'a signature of the right name, by an authority of its own',
    bend: async (stage: Stage) => stage.sign(stage.forge(), { sigstore: await TestSigstore.start() }),
  },
  {
    tries: 'a signed image of the same signer, offered as this one',
    bend: (stage: Stage) => stage.sign(stage.forge(), { as: ['127.0.0.1:1/another'] }),
  },
  {
    tries: 'the same with a bundle',
    bend: (stage: Stage) => stage.bundle(stage.forge(), { as: ['127.0.0.1:1/another'] }),
  },
  {
    tries: 'a signature under the name that the image has at the mirror',
    bend: (stage: Stage) => stage.sign(stage.forge(), { as: [`${stage.registry.host}/${stage.repository}`] }),
  },
  {
    tries: 'a bundle that names no image',
    bend: (stage: Stage) => stage.bundle(stage.forge(), { as: [] }),
  },
  {
    tries: 'another version, signed as that',
    bend: (stage: Stage) => stage.bundle(stage.forge(), { as: [`${stage.name}:v0.9.9`] }),
  },
].map(
  (attack): MirrorAttack => ({
    ...attack,
    ...REQUIRED,
    isWalled: true,
    ends: unlessRequired('its signature is not accepted'),
  }),
);

export const MIRROR_ATTACKS: readonly MirrorAttack[] = [
  ...IMAGE_ATTACKS,
  ...ADDRESS_ATTACKS,
  ...SIGNATURE_ATTACKS,
  {
    tries: 'to hide the signature of a genuine image',
    ...REQUIRED,
    isWalled: true,
    bend: (stage) => stage.unsign(),
    ends: {
      off: { packed: 'genuine', check: 'mirror-only' },
      warn: { packed: 'genuine', check: 'mirror-only', signature: 'unverified' },
      require: { refused: 'has no signature for it' },
    },
  },
];
