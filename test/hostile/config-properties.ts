import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type Document, parseDocument } from '../../src/config/document.ts';
import { isFixedTag } from '../../src/config/fixed-tag.ts';
import { oneOf, parseSwitch, wholeNumber } from '../../src/config/flags/flag-value.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { findImages } from '../../src/config/images/image-finder.ts';
import { parseArchitecture } from '../../src/config/kubernetes/architecture.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import { newestFirst } from '../../src/config/tag-age.ts';
import { looksImmutable, readTagVersion } from '../../src/config/tag-version.ts';
import { parseTreePath } from '../../src/config/tree-path.ts';
import { expandUri, parseUriTemplate } from '../../src/config/uri-template.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { formatDuration, parseDuration } from '../../src/lib/duration.ts';
import { formatSize } from '../../src/lib/text/size.ts';
import { parseImageSource, pullCandidates } from '../../src/pack/plan/image-source.ts';
import { parseBetaSuffix } from '../../src/pack/plan/package-name.ts';
import { parseZone } from '../../src/publish/qiniu/kodo-region.ts';
import { parseTargetWords } from '../../src/publish/targets.ts';
import { formatReference, parseReference, parseTag } from '../../src/registry/oci/reference.ts';
import { selectTags, wantsRepository } from '../../src/sync/select/selection.ts';
import { parseShard } from '../../src/sync/shard.ts';
import { anyText, hostile, hostileJson, nearly } from './inputs.ts';
import { type Property, property, require, unlessRefused } from './property.ts';

const IMAGE_SET = {
  kubernetes: ['1.37', 'v1.36.2'],
  cni: ['flannel'],
  names: ['kube-apiserver', 'pause'],
  prefixes: ['sig-storage/', ''],
  exclude: ['-amd64'],
  extras: ['quay.io/calico/node:v3.31.0', 'docker.io/library/nginx'],
  patches: [
    {
      match: 'coredns/coredns',
      name: 'coredns',
      tags: { semver: '>=1.9 <2 || ^3', latest: 10, since: '2026-01-01' },
    },
    { match: 'pause', platforms: ['linux/amd64'], tags: { regex: '^3\\.' } },
  ],
  tags: { regex: '(a|b)*c{1,10}$' },
};
const HEX = 'a1'.repeat(32);
const VERSIONS = {
  $schema: 'x',
  arch: 'amd64',
  images: [
    { name: 'kube-proxy', tag: 'v1.37.0' },
    { name: 'node', tag: 'v3', image: 'quay.io/calico/node' },
  ],
  components: [
    { name: 'kubelet', tag: 'auto' },
    {
      name: 'tool',
      tag: '1.0',
      uri: 'https://e.org/v{{.Tag}}/t-{{- .Arch -}}.tgz',
      sha256: HEX,
      path: 'tools/',
    },
    { name: 'other', tag: '2', uri: 'https://e.org/o', sha256: { amd64: HEX, arm64: HEX } },
  ],
};
const IMAGE_FILES = [
  'list.txt',
  'compose.yaml',
  'helm-template.yaml',
  'kustomize.yaml',
  'values.yaml',
  'docker-images.txt',
].map((name) => readFileSync(`test/fixtures/images/${name}`, 'utf8'));
const CONFIGURATION = ['CONFIGURATION_MALFORMED'];
const TAGS = [
  'v1.2.3',
  'v1.2.3-rc.1',
  'latest',
  '20260101-abcdef',
  '3.10.2',
  'v1.30',
  '1.2.3_build',
  'sha256-abc.sig',
];
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,40}$/);

/** Every place that is told lies within the text, so that people find it. */
function requirePlaces(document: Document, text: string): void {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (const { place } of document.problems) {
    const line = lines[place.line - 1];
    require(line !== undefined &&
      place.column >= 1 &&
      place.column <= line.length + 1, 'a place is outside of the text');
  }
}

function path(text: string): boolean {
  return (
    !text.startsWith('/') && text.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** What holds for files and words that people write. */
export const CONFIG_PROPERTIES: readonly Property[] = [
  property(
    'a file of images is refused, or each image in it is whole and has its place',
    fc.oneof(hostile(...IMAGE_FILES), nearly(...IMAGE_FILES)),
    async (text) => {
      const bytes = Buffer.from(text);
      const found = await unlessRefused(['IMAGES_UNREADABLE'], () => findImages('test', bytes));
      if (found === undefined) return;
      const lines = bytes.toString().split(/\r\n|\r|\n/).length;
      for (const { reference, places } of found.images) {
        const again = parseReference(formatReference(reference));
        require(again.tag !== undefined || again.digest !== undefined, 'an image has no tag and no digest');
        require(places.every(({ line }) => line >= 1 && line <= lines), 'a place is outside of the text');
      }
      const doubts = [...found.uncertain, ...found.refused];
      require(doubts.every(
        (doubt) => doubt.text.length <= 201 && doubt.reason !== '',
      ), 'a doubt says nothing');
    },
  ),
  property(
    'a document is read with places, whatever it holds',
    hostileJson(IMAGE_SET, VERSIONS),
    async (text) => {
      const document = await unlessRefused(CONFIGURATION, () => parseDocument('test.json', text));
      if (document !== undefined) requirePlaces(document, text);
    },
  ),
  property(
    'an image set is refused, or chooses tags',
    fc.tuple(hostileJson(IMAGE_SET), fc.array(tag, { maxLength: 20 })),
    async ([text, tags]) => {
      const set = await unlessRefused(CONFIGURATION, () =>
        parseImageSet(parseDocument('image_set.json', text)),
      );
      if (set === undefined) return;
      wantsRepository(set, 'sig-storage/csi');
      const offered = [...TAGS, ...tags].map((each) => ({ tag: parseTag(each) }));
      const { tags: chosen } = selectTags(set, 'pause', offered);
      require(chosen.every((each) =>
        offered.some((one) => one.tag === each),
      ), 'it chooses what nobody offers');
    },
  ),
  property(
    'a versions file is refused, or its paths stay within the package',
    hostileJson(VERSIONS),
    async (text) => {
      const versions = await unlessRefused(CONFIGURATION, () =>
        parseVersions(parseDocument('versions.json', text)),
      );
      if (versions === undefined) return;
      for (const component of versions.components) {
        require(component.path === undefined || path(component.path.path), 'a path leads elsewhere');
        require(/^[a-z0-9._-]+$/.test(component.name), 'a name is no file name');
      }
    },
  ),
  property(
    'a path within the package is refused, or within',
    hostile('kubernetes/bin/kubelet', 'a/b'),
    async (text) => {
      const found = await unlessRefused(['PATH_UNSAFE'], () => parseTreePath(text, 'test'));
      require(found === undefined || path(found), 'it is not');
    },
  ),
  property(
    'an address template is refused, or gives HTTP',
    hostile('https://e.org/v{{.Tag}}/t-{{- .Arch -}}.tgz'),
    async (text) => {
      const url = await unlessRefused(['URI_MALFORMED'], () =>
        expandUri(parseUriTemplate(text), { tag: '1.2.3', arch: 'arm64' }),
      );
      require(url === undefined || url.protocol === 'https:' || url.protocol === 'http:', 'it does not');
      require(url === undefined || (url.username === '' && url.password === ''), 'it holds a user');
    },
  ),
  property(
    'a duration is refused, or a span of time',
    hostile('1h2m3.5s', '15m0s', '500ms', '0'),
    async (text) => {
      const duration = await unlessRefused(['DURATION_MALFORMED'], () => parseDuration(text, 'test'));
      if (duration === undefined) return;
      require(Number.isFinite(duration) && duration >= 0, 'it is not');
      require(/^[\d.]+ \S+/.test(formatDuration(duration)), 'it cannot be told');
    },
  ),
  property(
    'a duration means the sum of its terms',
    fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 10_000 }), fc.nat({ max: 10_000 }), fc.nat({ max: 10_000 })),
    ([hours, minutes, seconds, milliseconds]) => {
      const sum = hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + milliseconds;
      require(parseDuration(`${hours}h${minutes}m${seconds}s${milliseconds}ms`, 'test') ===
        sum, 'it does not');
    },
  ),
  property('a size is told in few characters', fc.double({ min: 0, max: 2 ** 60, noNaN: true }), (bytes) => {
    require(/^\d{1,7}(?:\.\d)? (?:B|[KMGT]iB)$/.test(formatSize(Math.floor(bytes))), formatSize(
      Math.floor(bytes),
    ));
  }),
  property(
    'a word for a flag is refused, or one that is known',
    hostile('keel', 'zone_z0', 'z1', 'qiniu,none', 'true', '1/4', '12', '1.37', 'amd64'),
    async (text) => {
      const zone = await unlessRefused(['ZONE_UNKNOWN'], () => parseZone(text, 'test'));
      require(zone === undefined || /^[a-z0-9-]+$/.test(zone), 'a zone is no host name');
      const { warnings, refusals } = parseTargetWords(text, (name) => name);
      const said = [...warnings, ...refusals.map(({ message }) => message)];
      require(said.every((each) => each.length < 300), 'a message is long');
      await unlessRefused(['FLAG_MALFORMED'], () => parseSwitch(text, 'test'));
      await unlessRefused(['FLAG_MALFORMED'], () => oneOf('off', 'on')(text, 'test'));
      const count = await unlessRefused(['FLAG_MALFORMED'], () => wholeNumber(1, 64)(text, 'test'));
      require(count === undefined ||
        (Number.isInteger(count) && count >= 1 && count <= 64), 'a number is out of bounds');
      const shard = await unlessRefused(['SHARD_MALFORMED'], () => parseShard(text, 'test'));
      require(shard === undefined ||
        (shard.index >= 1 && shard.index <= shard.count), 'a shard is not among the others');
      await unlessRefused(['ARCHITECTURE_UNKNOWN'], () => parseArchitecture(text, 'test'));
      await unlessRefused(['BETA_MALFORMED', 'SUFFIX_MALFORMED'], () => parseBetaSuffix(text, 'test'));
    },
  ),
  property(
    'a word for versions of Kubernetes is refused, or read',
    hostile('1.37', 'v1.36.2', '1.30.0-rc.1', 'latest-1', 'supported'),
    async (text) => {
      await unlessRefused(['KUBERNETES_VERSION_MALFORMED', 'VERSION_MALFORMED'], () =>
        parseKubernetesVersion(text, 'test'),
      );
      await unlessRefused(['KUBERNETES_VERSION_MALFORMED'], () => parseKubernetesWord(text, 'test'));
    },
  ),
  property(
    'where images come from is refused, or gives names that are right',
    hostile('upstream', 'e.org/keel', 'localhost:5000/a/'),
    async (text) => {
      const codes = ['IMAGE_SOURCE_MALFORMED', 'REFERENCE_MALFORMED'];
      const source = await unlessRefused(codes, () => parseImageSource(text, 'test'));
      if (source === undefined) return;
      await unlessRefused(codes, () =>
        pullCandidates(source, parseReference('registry.k8s.io/pause:3.10'), 'arm64'),
      );
    },
  ),
  property('tags are in one order', fc.array(fc.oneof(tag, nearly(...TAGS)), { maxLength: 12 }), (tags) => {
    for (const each of tags) looksImmutable(each);
    for (const tag of tags) isFixedTag({ host: 'ghcr.io', repository: 'app', tag });
    const order = (some: readonly string[]) => newestFirst(some.map((each) => ({ tag: each })));
    const sorted = order(tags);
    require(sorted.length === tags.length, 'some are lost');
    const backwards = order(tags.toReversed());
    require(sorted.every(({ tag: each }, index) => each === backwards[index]?.tag), 'it depends on who asks');
  }),
  property('a word of any kind breaks no reader of words', anyText, (text) => {
    parseTargetWords(text, (name) => name);
    readTagVersion(text);
  }),
];
