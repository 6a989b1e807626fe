import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { qetagOfBlocks } from '../../src/lib/qetag.ts';
import { type ArchiveEntry, bytesEntry } from '../../src/pack/archive/entry.ts';
import { orderEntries } from '../../src/pack/archive/tree.ts';
import { componentFiles } from '../../src/pack/contents/component-files.ts';
import { overlayFiles } from '../../src/pack/contents/overlay.ts';
import { readManifest } from '../../src/pack/manifest/addon-manifest.ts';
import { explainKodoAnswer, parseKodoError } from '../../src/publish/qiniu/kodo-refusal.ts';
import { updateNotes } from '../../src/publish/release/release-notes.ts';
import { isPartOf } from '../../src/publish/release/release-parts.ts';
import { digestOf, isDigest } from '../../src/registry/oci/digest.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { findChecksum } from '../../src/upstream/fetch/checksum-file.ts';
import { CALICO, FLANNEL, LOCAL_PATH, METRICS_SERVER, pod } from '../pack/manifests.ts';
import { fetchedArchive } from './fetched-archive.ts';
import { anyText, damaged, hostile, nearly } from './inputs.ts';
import { type Property, property, require, unlessRefused } from './property.ts';
import { inFolder } from './workplace.ts';

const SHA256 = 'a1'.repeat(32);
const CHECKSUMS = [
  SHA256,
  `${SHA256}  tool.tar.gz\n${'b2'.repeat(64)} *other\n`,
  `SHA256 (tool.tar.gz) = ${SHA256}`,
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n- ${SHA256}  tool.tar.gz\n-----BEGIN PGP SIGNATURE-----\n`,
];
/** A manifest whose image is pulled again and again. */
const PULLING = pod(`image: a.example/a:1@sha256:${SHA256}`, 'imagePullPolicy: Always');
const NAMES = [
  'bin/tool',
  './bin/tool',
  'bin/',
  'etc/../../passwd',
  '/etc/passwd',
  'C:/x',
  'bin/TOOL',
  'bin/e\u0301',
  'bin/\u00e9',
  'a'.repeat(300),
];
const TYPES: readonly Header['type'][] = [
  'file',
  'file',
  'file',
  'link',
  'symlink',
  'character-device',
  'block-device',
  'directory',
  'fifo',
  'contiguous-file',
];
const LIMITS = { unpackedSize: 1_000_000, entries: 50 };
const ARCHIVE_CODES = [
  'ARCHIVE_UNSAFE',
  'ARCHIVE_INCOMPLETE',
  'ARCHIVE_UNREADABLE',
  'ARCHIVE_CHANGED',
  'ENTRY_UNUSABLE',
];

const name = fc.oneof(fc.constantFrom(...NAMES), nearly(...NAMES), anyText).map((text) => text || 'x');
const member = fc.record({
  name,
  type: fc.constantFrom(...TYPES),
  linkname: name,
  mode: fc.nat({ max: 0o7777 }),
  uid: fc.nat({ max: 0o7777777 }),
  content: fc.string({ maxLength: 600 }),
});

async function tarOf(
  members: readonly (typeof member extends fc.Arbitrary<infer Each> ? Each : never)[],
): Promise<Buffer> {
  const archive = pack();
  const pieces: Uint8Array[] = [];
  for (const { content, type, ...header } of members) {
    const isFile = type === 'file' || type === 'contiguous-file';
    archive.entry({ ...header, type }, isFile ? content : '');
  }
  archive.finalize();
  for await (const piece of archive) if (piece instanceof Uint8Array) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What an archive puts into the package lies in its folder, with modes of ours, or the archive is refused. */
async function requireSafe(gzip: Buffer): Promise<void> {
  await inFolder(async (folder) => {
    const file = join(folder, 'tool.tar.gz');
    writeFileSync(file, gzip);
    const signal = new AbortController().signal;
    await unlessRefused(ARCHIVE_CODES, async () => {
      const files = await componentFiles(fetchedArchive(file, 'tools'), signal, LIMITS);
      const ordered = orderEntries(files.map(({ entry }) => entry));
      for (const entry of ordered) {
        require(entry.path === 'tools' || entry.path.startsWith('tools/'), 'a path leads out of its folder');
        require(!entry.path.split('/').includes('..'), 'a path leads back');
        require(entry.kind !== 'symlink' &&
          (entry.mode === 0o755 || entry.mode === 0o644), 'a mode is not ours');
      }
      for (const { entry, sha256 } of files) {
        require(isDigest(sha256), 'a file has no digest');
        if (entry.content.kind !== 'stream') continue;
        let size = 0;
        for await (const bytes of await entry.content.open(signal)) size += bytes.length;
        require(size === entry.size, 'a file has another size than it says');
      }
    });
  });
}

/** What holds for what goes into packages. */
export const PACK_PROPERTIES: readonly Property[] = [
  property(
    'a manifest is refused, or packed with the images that it names, and nothing to pull',
    hostile(FLANNEL, CALICO, LOCAL_PATH, METRICS_SERVER, PULLING),
    async (text) => {
      const wishes = { trustingContainer: 'metrics-server' };
      const first = await unlessRefused(['MANIFEST_UNUSABLE'], () => readManifest(text, 'test', wishes));
      if (first === undefined) return;
      const again = readManifest(first.packed, 'test', wishes);
      const names = ({ images }: typeof first) => images.map(({ name }) => formatReference(name)).join(' ');
      require(again.edits.length === 0 && again.packed === first.packed, 'something is left to be edited');
      require(names(again) === names(first), 'the packed one names other images');
      require(/^[0-9a-f.:/,]*$/.test(first.podNetwork?.range ?? ''), 'a network is none');
    },
  ),
  property(
    'a checksum file is refused, or has the digest of the file',
    hostile(...CHECKSUMS),
    async (text) => {
      const digest = await unlessRefused(['CHECKSUM_UNUSABLE'], () =>
        findChecksum(text, 'tool.tar.gz', 'test'),
      );
      require(digest === undefined ||
        (isDigest(digest) && text.toLowerCase().includes(digest.slice(7))), 'it is made up');
    },
  ),
  property(
    'an archive of any members is refused, or stays within its folder',
    fc.array(member, { maxLength: 8 }),
    async (members) => {
      await requireSafe(gzipSync(await tarOf(members), { level: 1 }));
    },
  ),
  property(
    'a damaged tar is refused, or stays within its folder',
    fc.tuple(
      fc.array(member, { minLength: 1, maxLength: 4 }),
      damaged(fc.constant(Buffer.alloc(0))),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 20 }),
      fc.boolean(),
    ),
    async ([members, noise, flips, isGzipDamaged]) => {
      const tar = await tarOf(members);
      const target = isGzipDamaged ? gzipSync(tar, { level: 1 }) : tar;
      for (const [at, value] of flips) target[at % target.length] = value;
      await requireSafe(
        isGzipDamaged
          ? Buffer.concat([target, noise])
          : gzipSync(Buffer.concat([target, noise]), { level: 1 }),
      );
    },
  ),
  property(
    'entries are refused, or each is there once and within the tree',
    fc.array(fc.tuple(name, fc.boolean(), name), { maxLength: 8 }),
    async (given) => {
      const entries = given.map(
        ([path, isLink, target]): ArchiveEntry =>
          isLink ? { kind: 'symlink', path, target } : bytesEntry(path, ''),
      );
      const ordered = await unlessRefused(['ENTRY_UNUSABLE'], () => orderEntries(entries));
      const keys = (ordered ?? []).map(({ path }) => path.normalize('NFKC').toLowerCase());
      require(new Set(keys).size === keys.length, 'two are in one place');
      require(ordered?.every(({ path }) => !path.startsWith('/') && !path.split('/').includes('..')) !==
        false, 'one lies outside');
    },
  ),
  property(
    'an overlay is refused, or its files lie within the package',
    fc.array(
      fc.tuple(
        fc.oneof(name, nearly('kubernetes/conf/a.conf.tmpl', 'x.containerd-2.toml')),
        hostile('a {{ .Arch }} b {{- .PauseImage -}}'),
      ),
      { maxLength: 4 },
    ),
    async (files) => {
      const sources = files.map(([path, text]) => ({
        path,
        about: `overlay/${path}`,
        content: Buffer.from(text),
        mode: 0o644,
      }));
      const values = { pauseImage: 'p', kubernetesVersion: '1.37.0', arch: 'amd64', containerdMajor: 2 };
      const made = await unlessRefused(['TEMPLATE_MALFORMED', 'PATH_UNSAFE'], () =>
        overlayFiles(sources, values),
      );
      await unlessRefused(['ENTRY_UNUSABLE'], () => orderEntries((made ?? []).map(({ entry }) => entry)));
    },
  ),
  property(
    'what Kodo answers is a refusal that can be told',
    fc.tuple(fc.integer({ min: 400, max: 631 }), hostile('incorrect region, please use up-z2.qiniup.com')),
    ([status, text]) => {
      const error = parseKodoError(JSON.stringify({ error: text }));
      const told = explainKodoAnswer({ status, error, bucket: 'bucket', key: 'key' });
      require(told.message.length < 400, 'it is long');
    },
  ),
  property(
    'the notes of a release keep what others wrote',
    hostile('# Notes', '<!-- keel-package kube.tar.gz -->\nx'),
    (notes) => {
      const file = {
        path: '/x',
        name: 'kube.tar.gz',
        size: 1,
        sha256: digestOf(Buffer.alloc(0)),
        qetag: qetagOfBlocks([]),
      };
      const once = updateNotes(notes, file, []);
      require(updateNotes(once, file, []) === once, 'they grow with each time');
    },
  ),
  property('a part of a package is known by its name', anyText, (text) => {
    require(!isPartOf('kube.tar.gz', text) || text.startsWith('kube.tar.gz'), 'another is taken for one');
  }),
];
