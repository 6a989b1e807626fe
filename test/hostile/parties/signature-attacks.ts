import { digestHex } from '../../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import { names } from '../../support/sigstore/certificate.ts';
import { signatureTag } from '../../support/sigstore/signature.ts';
import { signerExtensions, TestSigstore } from '../../support/sigstore/sigstore.ts';
import { IN_VAIN, type SourceAttack, unlessRequired } from './source-attack.ts';
import { absent, ME } from './stage.ts';

const LIMITED = {
  page: 'security.md',
  says: 'Sizes, counts, depths and times of everything received have limits.',
} as const;
const EXACT = {
  page: 'signatures.md',
  says: 'The signature must be of exactly this digest, and name this image, so that nobody can offer the signed kube-proxy as kube-apiserver.',
} as const;
const NAMED = { page: 'signatures.md', says: 'keel-pkg never accepts the name of another image.' } as const;
const TRUSTED = {
  page: 'signatures.md',
  says: 'Its certificate must come from a trusted authority',
} as const;

/** It offers an image that its maker did not release, with a signature of something else. */
export const SIGNATURE_ATTACKS: readonly SourceAttack[] = [
  {
    tries: 'a forged image without a signature',
    page: 'signatures.md',
    says: 'Layers without an accepted signature are never sent.',
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
    says: 'It must name one identity, and that must be an accepted one of the same kind',
    bend: (stage) => stage.sign(stage.forge(), { by: { identity: 'release@example.com.evil.example' } }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a signature by the same name, for which another service vouches',
    page: 'signatures.md',
    says: 'the service that confirmed this name; compared exactly',
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
    says: 'have been valid at the time that the log of signatures, or a trusted time-stamping authority, records',
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
    says: '`name` of the subjects that have the digest of the image; one match is enough',
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
    says: 'A signature that names no image is accepted only if you allow it for its signer',
    bend: (stage) => stage.bundle(stage.forge(), { as: [] }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'another version, signed as that',
    page: 'signatures.md',
    says: 'an image signed as `app:1.36` is not accepted as `app:1.37`',
    bend: (stage) => stage.bundle(stage.forge(), { as: [`${stage.name}:v0.9.9`] }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'a statement that only tells something about the image, such as what is in it',
    page: 'signatures.md',
    says: 'An attestation is accepted as a signature if cosign made it, or if it states who built (SLSA provenance), promoted or released the image.',
    bend: (stage) => stage.bundle(stage.forge(), { predicateType: 'https://spdx.dev/Document' }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'an index of its own with a signed image among those that it lists',
    page: 'signatures.md',
    says: 'keel-pkg verifies the digest behind the tag. For an image of several platforms that is its index',
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
    tries: 'a signature of a text that is no claim about an image',
    ...EXACT,
    bend: (stage) => stage.sign(stage.forge(), { payload: Buffer.from('[{}]') }),
    ends: unlessRequired('SIGNATURE_REFUSED'),
  },
  {
    tries: 'to hide an image',
    page: 'security.md',
    says: 'A tag that it does not list is not mirrored, unless the image set names it',
    bend: (stage) => stage.answer('tags-list', { kind: 'status', status: 200, body: '{"tags":[]}' }),
    ends: { off: { hidden: true }, warn: { hidden: true }, require: { hidden: true } },
  },
  {
    tries: 'to hide the signature of a genuine image, but not the bundle of its maker',
    page: 'signatures.md',
    says: 'One accepted signature is enough.',
    bend: async (stage) => {
      stage.unsign();
      await stage.bundle(stage.genuine);
    },
    ends: IN_VAIN,
  },
  {
    tries: 'bundles of a genuine image that are listed in a form of its own',
    ...LIMITED,
    bend: (stage) => {
      stage.unsign();
      const body = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociIndex,
        manifests: [{ digest: 1 }, 'x', null],
      };
      const tag = `sha256-${digestHex(stage.genuine.digest)}`;
      const bytes = Buffer.from(JSON.stringify(body));
      stage.storage.putManifest(stage.repository, bytes, MEDIA_TYPE.ociIndex, [tag]);
    },
    ends: {
      off: { copied: 'genuine' },
      warn: { copied: 'genuine', signature: 'unverified' },
      require: { failed: 'MANIFEST_UNUSABLE' },
    },
  },
  {
    tries: 'to hide the signature of a genuine image',
    page: 'signatures.md',
    says: 'left out: nothing of it is copied to the destination, the run fails, other images continue',
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
    says: 'Layers without an accepted signature are never sent.',
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
    says: 'of an image and place, keel-pkg reads 64 signatures.',
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
