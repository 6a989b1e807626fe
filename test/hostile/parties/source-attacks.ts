import { MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import { names } from '../../support/sigstore/certificate.ts';
import { signatureTag } from '../../support/sigstore/signature.ts';
import { signerExtensions, TestSigstore } from '../../support/sigstore/sigstore.ts';
import { made } from '../lies.ts';
import type { Promised } from './promise.ts';
import { absent, ME, METADATA, type Stage, TAG } from './stage.ts';

/** What is told of a tag that moved. */
interface Told {
  readonly moved?: 'moved' | 'went-back';
  readonly isOlder?: boolean;
}

/** What becomes of an image, and whether what is at the destination is what its maker released. */
export type Ending = Told &
  (
    | {
        readonly copied: 'genuine' | 'offered' | 'nothing';
        readonly signature?: 'verified' | 'unverified';
        readonly layersLeftOut?: number;
      }
    /** By its code, and what the tag is at the destination if it is there. */
    | { readonly failed: string; readonly arrived?: 'genuine' | 'offered' }
    /** Not among what is wanted, as the source does not list it. */
    | { readonly hidden: true }
  );

/** What becomes of it with each value of `--verify-signatures`. */
export interface Endings {
  readonly off: Ending;
  readonly warn: Ending;
  readonly require: Ending;
}

export interface SourceAttack extends Promised {
  /** What a hostile source does. */
  readonly tries: string;
  /** Below which path the image is, with / at its end. */
  readonly path?: string;
  readonly tag?: string;
  /** Who signs the genuine image. */
  readonly signer?: typeof ME;
  readonly bend: (stage: Stage) => void | Promise<void>;
  readonly ends: Endings;
}

const FOREIGN_LAYER = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const NUMBERS = Array.from({ length: 1000 }, (_, at) => at);
/** The same address, as IPv6 has it. */
const DISGUISED_METADATA = 'https://[::ffff:a9fe:a9fe]/latest/meta-data';

/** The content gives it away, whoever signed what. */
export function always(code: string): Endings {
  return { off: { failed: code }, warn: { failed: code }, require: { failed: code } };
}

/** Nothing but a signature can tell. */
export function unlessRequired(code: string): Endings {
  return {
    off: { copied: 'offered' },
    warn: { copied: 'offered', signature: 'unverified' },
    require: { failed: code },
  };
}

/** What the source tries does not matter. */
const IN_VAIN: Endings = {
  off: { copied: 'genuine' },
  warn: { copied: 'genuine', signature: 'verified' },
  require: { copied: 'genuine', signature: 'verified' },
};

const HASHED = {
  page: 'security.md',
  says: 'Every layer, manifest and configuration is hashed on its way. One that is not what its digest says is never finished.',
} as const;
const INWARD = {
  page: 'security.md',
  says: 'the same, from HTTPS down to plain HTTP, to this machine, or to an inner service of a cloud, in any spelling | nothing: `REDIRECT_REFUSED`',
} as const;
const LIMITED = {
  page: 'security.md',
  says: 'Sizes, counts, depths and times of what others send have limits.',
} as const;
const EXACT = {
  page: 'signatures.md',
  says: 'It must be of exactly this digest, and name this image, so that nobody can offer the signed kube-proxy as kube-apiserver.',
} as const;
const NAMED = { page: 'signatures.md', says: 'A name of another image is never accepted.' } as const;
const TRUSTED = {
  page: 'signatures.md',
  says: 'Its certificate must come from a trusted authority',
} as const;

/** What it answers is not what the digests say. */
const CONTENT_ATTACKS: readonly SourceAttack[] = [
  {
    tries: 'other bytes of a layer, of the same length',
    ...HASHED,
    bend: (stage) => stage.answer('blob-get', { kind: 'wrong-bytes' }, stage.child.layer.digest),
    ends: always('DIGEST_MISMATCH'),
  },
  {
    tries: 'a layer that is cut short, and says so',
    ...HASHED,
    bend: (stage) =>
      stage.answer('blob-get', { kind: 'truncate', bytes: 100, declared: 'short' }, stage.child.layer.digest),
    ends: always('SIZE_MISMATCH'),
  },
  {
    tries: 'another configuration with the genuine layers',
    ...HASHED,
    bend: (stage) => stage.answer('blob-get', { kind: 'wrong-bytes' }, stage.child.config.digest),
    ends: always('DIGEST_MISMATCH'),
  },
  {
    tries: 'another index under the digest of the genuine one',
    ...HASHED,
    bend: (stage) => {
      const { bytes } = stage.forge({ tags: [] });
      stage.replace(stage.genuine.digest, bytes);
    },
    ends: always('DIGEST_MISMATCH'),
  },
  {
    tries: 'another image under the digest that the genuine index lists for a platform',
    ...HASHED,
    bend: (stage) => {
      const { bytes, digest } = stage.child;
      stage.replace(digest, Buffer.from(bytes.toString('utf8').replace('"layers":[', '"layers":[ ')));
    },
    ends: always('DIGEST_MISMATCH'),
  },
  {
    tries: 'an index that is signed, and that programs read in two ways',
    page: 'security.md',
    says: 'refused, at the top and in its descriptors',
    bend: async (stage) => {
      const forged = stage.forge();
      const text = stage.genuine.bytes.toString('utf8').replace(/}$/, '');
      const list = forged.bytes.toString('utf8').match(/"manifests":(\[.*\])/)?.[1];
      const bytes = Buffer.from(`${text},"Manifests":${list}}`);
      const digest = stage.storage.putManifest(stage.repository, bytes, stage.genuine.mediaType, [TAG]);
      await stage.sign({ digest });
    },
    ends: always('MANIFEST_UNUSABLE'),
  },
  {
    tries: 'a listing with the digest of the genuine image, and another image under the tag',
    page: 'how-sync-decides.md',
    says: 'The manifest is fetched by digest and kept byte for byte',
    bend: (stage) => {
      stage.forge();
      const { digest, mediaType } = stage.genuine;
      const manifest = { [digest]: { tag: [TAG], mediaType, timeUploadedMs: '1735689600000' } };
      const body = JSON.stringify({ child: [], manifest, name: stage.repository, tags: [TAG] });
      stage.answer('tags-list', { kind: 'status', status: 200, body });
    },
    ends: IN_VAIN,
  },
  {
    tries: 'another image under the tag while the genuine one is verified or copied',
    page: 'how-sync-decides.md',
    says: 'The manifest is fetched by digest and kept byte for byte',
    bend: (stage) => {
      const { digest } = stage.forge({ tags: [] });
      const when = ({ repository }: { repository: string }) => repository === stage.repository;
      const moved = stage.registry.journal.next({ kind: 'blob-get', when }).then(() => {
        stage.storage.repository(stage.repository).tags.set(TAG, digest);
      });
      stage.registry.fail({ match: { kind: 'blob-get', when }, fault: { kind: 'hold', until: moved } });
    },
    ends: IN_VAIN,
  },
];

/** It answers in a form that nothing of the kind has. */
const SHAPE_ATTACKS: readonly SourceAttack[] = [
  {
    tries: 'an index that lists things without a digest',
    ...LIMITED,
    bend: async (stage) => {
      const bytes = Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [{}, {}] }),
      );
      const digest = stage.storage.putManifest(stage.repository, bytes, MEDIA_TYPE.ociIndex, [TAG]);
      await stage.sign({ digest });
    },
    ends: always('MANIFEST_UNUSABLE'),
  },
  {
    tries: 'a list of tags that are numbers',
    ...LIMITED,
    bend: (stage) =>
      stage.answer('tags-list', { kind: 'status', status: 200, body: JSON.stringify({ tags: NUMBERS }) }),
    ends: always('REGISTRY_BROKEN'),
  },
  {
    tries: 'a layer without end',
    ...LIMITED,
    bend: (stage) =>
      stage.answer(
        'blob-get',
        made(function* () {
          for (;;) yield Buffer.alloc(65_536);
        }),
        stage.child.layer.digest,
      ),
    ends: always('SIZE_MISMATCH'),
  },
];

/** It names other addresses. */
const ADDRESS_ATTACKS: readonly SourceAttack[] = [
  {
    tries: 'to send whoever fetches a layer to plain HTTP',
    ...INWARD,
    bend: (stage) =>
      stage.answer(
        'blob-get',
        { kind: 'redirect', location: ({ pathname }) => new URL(pathname, stage.strangers.plain.url).href },
        stage.child.layer.digest,
      ),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'to send whoever fetches a layer to what a cloud tells its machines',
    ...INWARD,
    bend: (stage) =>
      stage.answer('blob-get', { kind: 'redirect', location: METADATA }, stage.child.layer.digest),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'the same with an address in another spelling',
    ...INWARD,
    bend: (stage) =>
      stage.answer('blob-get', { kind: 'redirect', location: DISGUISED_METADATA }, stage.child.layer.digest),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a next page of its tags at such an address',
    ...INWARD,
    bend: (stage) =>
      stage.answer('tags-list', {
        kind: 'status',
        status: 200,
        headers: { link: `<${METADATA}>; rel="next"` },
        body: JSON.stringify({ tags: [] }),
      }),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a layer that another host has, with other bytes',
    page: 'security.md',
    says: 'the request with what it writes, without login, token and cookies',
    bend: (stage) =>
      stage.answer(
        'blob-get',
        {
          kind: 'redirect',
          location: ({ pathname }) => new URL(pathname, stage.strangers.elsewhere.url).href,
        },
        stage.child.layer.digest,
      ),
    ends: always('SIZE_MISMATCH'),
  },
  {
    tries: 'a realm at another host, over plain HTTP',
    page: 'security.md',
    says: 'a realm at another host, over plain HTTP | nothing: `REDIRECT_REFUSED`',
    bend: (stage) => {
      const challenge = `Bearer realm="${stage.strangers.plain.url}/token",service="x"`;
      const headers = { 'www-authenticate': challenge };
      stage.answer('manifest-get', { kind: 'status', status: 401, headers });
    },
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a realm at what a cloud tells its machines',
    page: 'security.md',
    says: 'a realm at an inner service of a cloud, or on this machine where the registry is elsewhere | nothing: `REDIRECT_REFUSED`',
    bend: (stage) => {
      const headers = { 'www-authenticate': `Bearer realm="${METADATA}",service="x"` };
      stage.answer('manifest-get', { kind: 'status', status: 401, headers });
    },
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a layer that it does not have, at addresses in the manifest',
    page: 'how-sync-decides.md',
    says: 'All other layers are needed, also those with addresses elsewhere (`urls`).',
    bend: async (stage) => {
      const { config, mediaType } = stage.child;
      const layers = [{ ...absent(LAYER, 'absent'), urls: addresses(stage) }];
      await stage.sign(stage.offer({ mediaType, ...{ schemaVersion: 2, config, layers } }));
    },
    ends: always('NOT_FOUND'),
  },
  {
    tries: 'a layer that is not distributed, at addresses in the manifest',
    page: 'how-sync-decides.md',
    says: 'Where it does not, or the destination does not take them, they are left out: the run warns of it each night',
    bend: async (stage) => {
      const { config, mediaType, layers } = stage.child;
      const foreign = { ...absent(FOREIGN_LAYER, 'absent'), urls: addresses(stage) };
      const body = { schemaVersion: 2, config, layers: [foreign, ...layers] };
      await stage.sign(stage.offer({ mediaType, ...body }));
    },
    ends: {
      off: { copied: 'offered', layersLeftOut: 1 },
      warn: { copied: 'offered', layersLeftOut: 1, signature: 'verified' },
      require: { copied: 'offered', layersLeftOut: 1, signature: 'verified' },
    },
  },
  {
    tries: 'commands for a workflow and a terminal in what it complains of',
    page: 'security.md',
    says: 'What others say is text: it becomes no command of a workflow, no markup or link of a summary, no escape of a terminal.',
    bend: (stage) => {
      const message = '\u001b[2J\u009b31m\n::add-mask::v\r\n::set-output name=a::b';
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message }] });
      stage.answer('manifest-get', { kind: 'status', status: 403, body }, stage.genuine.digest);
    },
    ends: always('DENIED'),
  },
];

function addresses({ strangers }: Stage): readonly string[] {
  return [METADATA, `${strangers.elsewhere.url}/layer`, `${strangers.plain.url}/layer`];
}

/** It offers an image that its maker did not release, with a signature of something else. */
const SIGNATURE_ATTACKS: readonly SourceAttack[] = [
  {
    tries: 'a forged image without a signature',
    page: 'signatures.md',
    says: 'Layers without a signature that counts are never sent.',
    bend: (stage) => void stage.forge(),
    ends: unlessRequired('SIGNATURE_MISSING'),
  },
  {
    tries: 'the signature of the genuine image beside a forged one',
    ...EXACT,
    bend: (stage) => stage.sign(stage.forge(), { of: stage.genuine.digest }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'the bundle of the genuine image beside a forged one',
    ...EXACT,
    bend: (stage) => stage.bundle(stage.forge(), { of: stage.genuine.digest }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a signature by somebody else',
    page: 'signatures.md',
    says: 'It must name one identity, and that must be one that counts, of the same kind',
    bend: (stage) => stage.sign(stage.forge(), { by: { identity: 'release@example.com.evil.example' } }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a signature by the same name, for which another service vouches',
    page: 'signatures.md',
    says: 'who vouched for that name; compared exactly',
    bend: (stage) => stage.sign(stage.forge(), { by: { issuer: 'https://accounts.example.com/' } }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a signature by an address that reads like the e-mail address',
    page: 'signatures.md',
    says: 'an e-mail address is no URI that reads like one',
    bend: (stage) => {
      const extensions = signerExtensions(ME, { named: [names.uri(ME.identity)] });
      return stage.sign(stage.forge(), { by: { extensions } });
    },
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a signature of the right name, by an authority of its own',
    ...TRUSTED,
    bend: async (stage) => stage.sign(stage.forge(), { sigstore: await TestSigstore.start() }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a bundle of the right name, by an authority of its own',
    ...TRUSTED,
    bend: async (stage) => stage.bundle(stage.forge(), { sigstore: await TestSigstore.start() }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a signature that was made after its certificate had ended',
    page: 'signatures.md',
    says: 'have been valid at the time that the log of signatures, or a trusted time-stamping authority, tells',
    bend: (stage) => stage.sign(stage.forge(), { by: { late: true } }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a signed image of the same signer, offered as this one',
    ...NAMED,
    bend: (stage) => stage.sign(stage.forge(), { as: [`${stage.registry.host}/another`] }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'the same with a bundle',
    ...NAMED,
    bend: (stage) => stage.bundle(stage.forge(), { as: [`${stage.registry.host}/another`] }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a bundle that names this image with another digest, and another image with this digest',
    page: 'signatures.md',
    says: '`name` of its subjects, of those that have the digest of the image; one is enough',
    bend: (stage) =>
      stage.bundle(stage.forge(), {
        as: [`${stage.registry.host}/another`],
        others: { [stage.name]: stage.genuine.digest },
      }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a bundle that names no image',
    page: 'signatures.md',
    says: 'A signature that names no image counts only where you say so of its signer',
    bend: (stage) => stage.bundle(stage.forge(), { as: [] }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'another version, signed as that',
    page: 'signatures.md',
    says: 'what was signed as `app:1.36` is not accepted as `app:1.37`',
    bend: (stage) => stage.bundle(stage.forge(), { as: [`${stage.name}:v0.9.9`] }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a statement that only tells something about the image, such as what is in it',
    page: 'signatures.md',
    says: "Statements count as signatures where they are cosign's, or tell who built (SLSA provenance), promoted or released the image.",
    bend: (stage) => stage.bundle(stage.forge(), { predicateType: 'https://spdx.dev/Document' }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'an index of its own with a signed image among those that it lists',
    page: 'signatures.md',
    says: 'What the tag leads to is verified. For an image of several platforms that is its index',
    bend: async (stage) => {
      const { digest, mediaType, bytes } = stage.child;
      const platform = { os: 'linux', architecture: 'amd64' };
      const forged = stage.forge({ platforms: ['linux/arm64'] });
      await stage.sign({ digest });
      const listed = forged.kind === 'index' ? forged.manifests : [];
      const manifests = [{ mediaType, digest, size: bytes.length, platform }, ...listed];
      stage.offer({ mediaType: MEDIA_TYPE.ociIndex, ...{ schemaVersion: 2, manifests } });
    },
    ends: unlessRequired('SIGNATURE_MISSING'),
  },
  {
    tries: 'something beside a forged image that is called a bundle and is none',
    ...TRUSTED,
    bend: (stage) => stage.refer(stage.forge(), [{}, null, 'bundle']),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'to hide an image',
    page: 'security.md',
    says: 'A tag that it does not list is not wanted, unless the image set names it',
    bend: (stage) => stage.answer('tags-list', { kind: 'status', status: 200, body: '{"tags":[]}' }),
    ends: { off: { hidden: true }, warn: { hidden: true }, require: { hidden: true } },
  },
  {
    tries: 'to hide the signature of a genuine image',
    page: 'signatures.md',
    says: 'left out: nothing of it comes to the destination, the run ends red, other images go on',
    bend: (stage) => stage.unsign(),
    ends: {
      off: { copied: 'genuine' },
      warn: { copied: 'genuine', signature: 'unverified' },
      require: { failed: 'SIGNATURE_MISSING' },
    },
  },
  {
    tries: 'to withhold the signature of a genuine image for the time being',
    page: 'signatures.md',
    says: 'Layers without a signature that counts are never sent.',
    bend: (stage) =>
      stage.answer('manifest-get', { kind: 'status', status: 503 }, signatureTag(stage.genuine.digest)),
    ends: {
      off: { copied: 'genuine' },
      warn: { copied: 'genuine', signature: 'unverified' },
      require: { failed: 'REGISTRY_BROKEN' },
    },
  },
  {
    tries: 'more signatures that count for nothing than anybody looks at',
    page: 'security.md',
    says: 'of an image and place 64 signatures are looked at.',
    bend: (stage) => {
      const payload = absent('application/vnd.dev.cosign.simplesigning.v1+json', 'payload');
      const layers = Array.from({ length: 70 }, () => ({ ...payload, size: 2 * 1024 * 1024 }));
      const { config } = stage.child;
      const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers };
      const tag = signatureTag(stage.genuine.digest);
      const bytes = Buffer.from(JSON.stringify(body));
      stage.storage.putManifest(stage.repository, bytes, MEDIA_TYPE.ociManifest, [tag]);
    },
    ends: {
      off: { copied: 'genuine' },
      warn: { copied: 'genuine', signature: 'unverified' },
      require: { failed: 'SIGNATURE_REFUSED' },
    },
  },
];

export const SOURCE_ATTACKS: readonly SourceAttack[] = [
  ...CONTENT_ATTACKS,
  ...SHAPE_ATTACKS,
  ...ADDRESS_ATTACKS,
  ...SIGNATURE_ATTACKS,
];
