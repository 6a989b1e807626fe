import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { unpackState } from '../../src/actions/state-archive.ts';
import { stateSummaryJson, stateSummaryLines } from '../../src/cli/text/sum-text.ts';
import { readLock } from '../../src/pack/run/lock-file.ts';
import { dockerCredentials } from '../../src/registry/auth/docker-config.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { factsOfReport } from '../../src/summary/facts.ts';
import { formatSummary } from '../../src/summary/sync-summary.ts';
import { formatReport, REPORT_SCHEMA, type Report } from '../../src/sync/report/report.ts';
import { readReport } from '../../src/sync/report/report-file.ts';
import { mergeReports } from '../../src/sync/report/report-merge.ts';
import { parseSyncSettings } from '../../src/sync/settings.ts';
import { State } from '../../src/sync/state/state.ts';
import { summariseKnownState } from '../../src/sync/state/state-summary.ts';
import {
  DESTINATION_HOST,
  destinationOf,
  imagesIn,
  SOURCE_HOST,
  seenImage,
  warningKeeper,
} from '../support/state-sample.ts';
import { damaged, hostileJson } from './inputs.ts';
import { type Property, property, require, unlessRefused } from './property.ts';
import { inFolder } from './workplace.ts';

const HEX = 'a1'.repeat(32);
const DOCKER_CONFIG = {
  auths: {
    'registry.example': { auth: Buffer.from('user:secret').toString('base64') },
    'https://index.docker.io/v1/': { username: 'u', password: 'p' },
    'other.example:5000': { identitytoken: 'token' },
  },
  credHelpers: { 'ecr.example': 'ecr-login' },
  credsStore: 'desktop',
};
const LOCK = {
  schema: 1,
  package: 'kube-1.37.1-amd64.tar.gz',
  imageFormat: 'oci',
  images: [
    {
      upstream: 'registry.k8s.io/pause:3.10',
      pulledBy: 'mirror.example/pause:3.10',
      digest: `sha256:${HEX}`,
      check: { kind: 'upstream', registry: 'registry.k8s.io' },
    },
  ],
  components: [
    { name: 'kubelet', tag: 'v1', url: 'https://e.org/k', sha256: `sha256:${HEX}`, check: { kind: 'none' } },
  ],
  files: { 'install.sh': `sha256:${HEX}` },
  tar: `sha256:${HEX}`,
};

function reportOf(index: number): Report {
  const image = {
    source: 'registry.k8s.io/pause:3.10',
    destination: 'e.example/keel/pause:3.10',
    bytes: 1,
    milliseconds: 2,
  };
  return {
    schemaVersion: 1,
    tool: { name: 'synctl', version: 'v1.0.0' },
    started: '2026-03-01T02:00:00.000Z',
    ended: '2026-03-01T02:00:42.000Z',
    source: 'registry.k8s.io',
    destination: 'e.example',
    namespace: 'keel',
    options: { naming: 'basename', platforms: [], signatures: 'skip', verify: 'sample', dryRun: false },
    shards: [{ index, count: 2 }],
    stateRestored: true,
    interrupted: { message: 'the time was over', left: 3 },
    totals: { total: 2, copied: 1, skipped: 0, failed: 1, deferred: 0, bytes: 2 },
    unmatched: [{ pattern: 'x', place: { file: 'image_set.json', line: 1, column: 2 }, matchedBefore: true }],
    warnings: [{ message: 'careful' }],
    requests: [{ host: 'e.example', requests: 3, retried: 1, rateLimited: 0 }],
    images: [
      { ...image, outcome: 'copied', blobs: { uploaded: 1, mounted: 0, present: 0 } },
      { ...image, outcome: 'failed', reason: { code: 'NOT_FOUND', message: 'it is not there' } },
    ],
  };
}

/** A state file as runs leave it, made once. */
const stateFile = await inFolder((folder) => {
  const file = join(folder, 'state');
  const state = State.open(file, warningKeeper());
  for (const name of ['pause', 'coredns', 'etcd']) {
    const images = ['v1', 'v2', 'v3'].map((tag) => seenImage(name, tag));
    state.record(destinationOf(name), {
      images,
      blobs: images.map(({ sourceDigest }) => sourceDigest),
      failures: [],
    });
  }
  state.close();
  return readFileSync(file);
});

/** What reading a state borrows from a front. */
const PARTS = {
  reporter: { warning: () => undefined, detail: () => undefined },
  signal: new AbortController().signal,
  environment: {},
  runCredentialHelper: async () => undefined,
  onSecret: () => undefined,
};

async function useState(file: string, mode: 'read' | 'write'): Promise<void> {
  const parsed = parseSyncSettings({ values: new Map([['db', file]]), environment: {}, label: String });
  if (!parsed.ok) throw new Error('the settings are wrong');
  const summary = await summariseKnownState(parsed.settings, PARTS);
  require(stateSummaryLines(summary).length > 0 &&
    stateSummaryJson(summary) !== undefined, 'it cannot be told');
  using state = State.open(file, { ...warningKeeper(), mode });
  for (const name of ['pause', 'coredns', 'etcd']) {
    imagesIn(state, destinationOf(name));
    state.failures(destinationOf(name));
  }
  state.blobHolders(DESTINATION_HOST, seenImage('pause', 'v1').sourceDigest);
  state.sourceView(SOURCE_HOST);
  state.record(destinationOf('new'), { images: [seenImage('new', 'v1')] });
  const known = imagesIn(state, destinationOf('new')).size;
  require(mode === 'read' || known === 1, 'what was recorded is not known');
}

const twoReports = fc.tuple(hostileJson(reportOf(1)), hostileJson(reportOf(2)));

const stateMember = fc.record({
  name: fc.constantFrom('folder', 'file', 'file', 'journal', '../out', '/tmp/keel-out'),
  type: fc.constantFrom<Header['type']>('file', 'file', 'file', 'directory', 'symlink', 'link', 'fifo'),
  content: fc.string({ maxLength: 600 }),
});

/** What holds for files that this machine or another one left: states, reports, locks, logins. */
export const FILE_PROPERTIES: readonly Property[] = [
  property(
    'a state file is used or set aside, whatever is in it',
    fc.tuple(damaged(fc.constant(stateFile)), fc.constantFrom<'read' | 'write'>('read', 'write')),
    async ([bytes, mode]) =>
      inFolder(async (folder) => {
        const file = join(folder, 'state');
        writeFileSync(file, bytes);
        await unlessRefused(['STATE_NOT_OURS', 'STATE_UNUSABLE', 'PATH_UNUSABLE', 'STATE_BUSY'], () =>
          useState(file, mode),
        );
        const left = readdirSync(folder).filter((name) => !name.startsWith('state'));
        require(left.length === 0, `it leaves ${left.join(', ')}`);
      }),
  ),
  property(
    'an archive in the cache is refused, or gives the state in it and no other file',
    fc.tuple(
      fc.array(stateMember, { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    ),
    async ([members, flips]) =>
      inFolder(async (folder) => {
        const archive = pack();
        const file = join(folder, 'state.db');
        const names: ReadonlyMap<string, string> = new Map([
          ['folder', `${folder}/`],
          ['file', file],
          ['journal', `${file}-journal`],
        ]);
        for (const { name, type, content } of members) {
          archive.entry(
            { name: names.get(name) ?? name, type, linkname: '/etc/passwd' },
            type === 'file' ? content : '',
          );
        }
        archive.finalize();
        const tar = await buffer(Readable.from(archive));
        for (const [at, value] of flips) tar[at % tar.length] = value;
        const size = await unlessRefused(['STATE_UNUSABLE', 'ARCHIVE_UNREADABLE'], () =>
          unpackState(Readable.from([tar]), { folder, file }),
        );
        const left = readdirSync(folder, { withFileTypes: true });
        require(left.every((entry) => entry.isFile() && entry.name === 'state.db'), 'it leaves another file');
        require(size === undefined || left.length === 1, 'there is no state');
      }),
  ),
  property('reports are refused, or joined to one that can be read and told', twoReports, async (texts) =>
    inFolder(async (folder) => {
      const files = texts.map((text, index) => {
        const file = join(folder, `${index}.json`);
        writeFileSync(file, text);
        return file;
      });
      const codes = ['REPORT_MALFORMED', 'REPORT_UNREADABLE', 'REPORTS_DISAGREE'];
      const joined = await unlessRefused(codes, () =>
        mergeReports(files.map((file) => ({ file, report: readReport(file) }))),
      );
      if (joined === undefined) return;
      require(REPORT_SCHEMA.safeParse(JSON.parse(formatReport(joined)))
        .success, 'what was joined is no report');
      require(formatSummary(factsOfReport(joined, [])).length <
        1024 * 1024, 'its summary is longer than GitHub shows');
    }),
  ),
  property('a lock is refused, or read', hostileJson(LOCK), async (text) =>
    inFolder(async (folder) => {
      const file = join(folder, 'lock');
      writeFileSync(file, text);
      const lock = await unlessRefused(['LOCK_MALFORMED'], () =>
        readLock(file, new AbortController().signal),
      );
      require(lock === undefined || lock.images instanceof Map, 'it is not');
    }),
  ),
  property(
    "Docker's configuration is refused, or gives a login to the host it belongs to",
    hostileJson(DOCKER_CONFIG),
    async (text) =>
      inFolder(async (folder) => {
        const file = join(folder, 'config.json');
        writeFileSync(file, text);
        const asked: string[] = [];
        const calm = new AbortController().signal;
        const note = async (helper: string): Promise<undefined> => void asked.push(helper);
        const lookup = dockerCredentials({ path: file, remedy: 'mend it' }, note, calm);
        const found = await unlessRefused(['DOCKER_CONFIG_UNREADABLE'], () =>
          lookup(parseHost('stranger.example')),
        );
        require(found === undefined || found.length === 0, 'a stranger gets a login');
        await unlessRefused(['DOCKER_CONFIG_UNREADABLE'], () => lookup(parseHost('registry.example')));
      }),
  ),
];
