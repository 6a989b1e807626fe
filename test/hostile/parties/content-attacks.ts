import { MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import type { Fault } from '../../support/registry/faults.ts';
import { made } from '../lies.ts';
import { always, IN_VAIN, type SourceAttack } from './source-attack.ts';
import { absent, TAG } from './stage.ts';

const NUMBERS = Array.from({ length: 1000 }, (_, at) => at);

const HASHED = {
  page: 'security.md',
  says: 'Every layer, manifest and configuration is hashed on its way. One that does not match its digest is never completed.',
} as const;
const LIMITED = {
  page: 'security.md',
  says: 'Sizes, counts, depths and times of everything received have limits.',
} as const;

/** A list of tags that tells no digests. */
function plainList(...tags: readonly string[]): Fault {
  return { kind: 'status', status: 200, body: JSON.stringify({ tags }) };
}

/** What it answers is not what the digests say. */
export const CONTENT_ATTACKS: readonly SourceAttack[] = [
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
    says: 'It fetches the manifest by the digest that was listed or verified',
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
    tries: 'the digest of the genuine image in answer to HEAD, and another image under the tag',
    page: 'how-sync-decides.md',
    says: 'It fetches the manifest by the digest that was listed or verified',
    bend: (stage) => {
      stage.forge();
      stage.answer('tags-list', plainList(TAG));
      const headers = { 'docker-content-digest': stage.genuine.digest, 'content-type': MEDIA_TYPE.ociIndex };
      stage.answer('manifest-head', { kind: 'status', status: 200, headers, body: '' });
    },
    ends: { ...IN_VAIN, off: { copied: 'offered' } },
  },
  {
    tries: 'a digest that it does not have in answer to HEAD',
    ...HASHED,
    bend: (stage) => {
      stage.answer('tags-list', plainList(TAG));
      const { digest } = absent('', 'nobody has it');
      const headers = { 'docker-content-digest': digest, 'content-type': MEDIA_TYPE.ociIndex };
      stage.answer('manifest-head', { kind: 'status', status: 200, headers, body: '' });
    },
    ends: {
      off: { copied: 'genuine' },
      warn: { failed: 'NOT_FOUND' },
      require: { failed: 'SIGNATURE_MISSING' },
    },
  },
  {
    tries: 'another image under the tag while the genuine one is verified or copied',
    page: 'how-sync-decides.md',
    says: 'It fetches the manifest by the digest that was listed or verified',
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
export const SHAPE_ATTACKS: readonly SourceAttack[] = [
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
