import { expect, it } from 'vitest';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import {
  endless,
  made,
  seedChain,
  seedLargeManifest,
  seedManyLayers,
  seedTree,
  seedWideIndex,
} from './lies.ts';
import { type MeasuredRun, measuredSync } from './measured-synctl.ts';

const MEBIBYTE = 1024 * 1024;
/** Lists and manifests within their limits may cost that much, and no lie may cost more. */
const MEMORY_LIMIT = 700;
const TIMEOUT = 240_000;

/** Every request of a kind that is about one repository. */
function about(kind: RequestKind, repository: string): Omit<FaultRule, 'fault'> {
  const when = (entry: JournalEntry): boolean => entry.repository === repository;
  return { match: { kind, when }, times: Number.POSITIVE_INFINITY };
}

function page(url: URL): number {
  return Number(url.searchParams.get('last') ?? 0);
}

function nextPage(repository: string) {
  const headers = (url: URL) => ({ link: `</v2/${repository}/tags/list?last=${page(url) + 1}>; rel="next"` });
  return { headers };
}

const body = (value: unknown): Buffer[] => [Buffer.from(JSON.stringify(value))];

interface Lie {
  readonly name: string;
  readonly rig: (source: TestRegistry, repository: string) => void;
  /** What the report says of it. */
  readonly code: string;
  /** About its repository, at the source. */
  readonly requests?: number;
  /** From its repository, in MiB; what was under way when the connection was closed counts. */
  readonly sent?: number;
}

const LIES: readonly Lie[] = [
  {
    name: '10,000 indexes, each within another',
    rig: ({ storage }, repository) => seedChain(storage, repository, 'v1', 10_000),
    code: 'INDEX_UNREASONABLE',
  },
  {
    name: 'indexes of indexes, each of 150',
    rig: ({ storage }, repository) => seedTree(storage, repository, 'v1', 1, 150),
    // What is missing comes before what there is too much of.
    code: 'NOT_FOUND',
    requests: 2500,
  },
  {
    name: 'an index of 25,000 entries',
    rig: ({ storage }, repository) => seedWideIndex(storage, repository, 'v1', 25_000),
    code: 'INDEX_UNREASONABLE',
  },
  {
    name: 'an index of 1,000,000 entries',
    rig: (source, repository) => {
      seedImage(source.storage, repository, { tags: ['v1'] });
      const entry = `{"mediaType":"","size":1,"digest":"sha256:${'0'.repeat(64)}"},`;
      const fault = made(() => endless('{"schemaVersion":2,"manifests":[', () => entry, 110 * MEBIBYTE));
      source.fail({ ...about('manifest-get', repository), fault });
    },
    code: 'REGISTRY_BROKEN',
  },
  {
    name: 'a manifest without end',
    rig: (source, repository) => {
      seedImage(source.storage, repository, { tags: ['v1'] });
      const fault = made(() => endless('{"schemaVersion":2,"layers":[', (at) => `{"size":${at}},`));
      source.fail({ ...about('manifest-get', repository), fault });
    },
    code: 'REGISTRY_BROKEN',
  },
  {
    name: 'an image of 25,000 layers',
    rig: ({ storage }, repository) => seedManyLayers(storage, repository, 'v1', 25_000),
    code: 'MANIFEST_UNUSABLE',
  },
  {
    name: 'lists and objects within each other, 500,000 deep',
    rig: ({ storage }, repository) => {
      const deep = `${'[{"a":'.repeat(250_000)}1${'}]'.repeat(250_000)}`;
      const type = 'application/vnd.oci.image.index.v1+json';
      const text = `{"schemaVersion":2,"mediaType":"${type}","manifests":[],"annotations":${deep}}`;
      storage.putManifest(repository, Buffer.from(text), type, ['v1']);
    },
    code: 'MANIFEST_UNUSABLE',
  },
  {
    name: 'a tag list without end',
    rig: (source, repository) => {
      const fault = made(() => endless('{"tags":[', (at) => `"v1.0.${at}",`));
      source.fail({ ...about('tags-list', repository), fault });
    },
    code: 'REGISTRY_BROKEN',
    sent: 90,
  },
  {
    name: 'pages without end, each of other tags',
    rig: (source, repository) => {
      const tags = (url: URL) => Array.from({ length: 50_000 }, (_, at) => `v1.${page(url)}.${at}`);
      const fault = made((url) => body({ tags: tags(url) }), nextPage(repository));
      source.fail({ ...about('tags-list', repository), fault });
    },
    code: 'REGISTRY_BROKEN',
    requests: 500,
    sent: 90,
  },
  {
    name: 'empty pages without end',
    rig: (source, repository) => {
      const fault = made(() => body({ tags: [] }), nextPage(repository));
      source.fail({ ...about('tags-list', repository), fault });
    },
    code: 'REGISTRY_BROKEN',
    requests: 20,
  },
  {
    name: 'an error without end',
    rig: (source, repository) => {
      seedImage(source.storage, repository, { tags: ['v1'] });
      const fault = made(() => endless('{"errors":[', () => '{"code":"UNKNOWN"},'), { status: 500 });
      source.fail({ ...about('manifest-get', repository), fault });
    },
    code: 'REGISTRY_BROKEN',
  },
  {
    name: 'a flood of headers',
    rig: (source, repository) => {
      seedImage(source.storage, repository, { tags: ['v1'] });
      const flood = Array.from({ length: 20_000 }, (_, at): [string, string] => [`x-${at}`, 'y'.repeat(200)]);
      const fault = made(() => [], { headers: () => Object.fromEntries(flood) });
      source.fail({ ...about('manifest-get', repository), fault });
    },
    code: 'UNREACHABLE',
  },
  {
    name: 'a layer without end',
    rig: (source, repository) => {
      seedImage(source.storage, repository, { tags: ['v1'], seed: repository });
      const fault = made(() => endless('', () => 'a layer that goes on and on '));
      source.fail({ ...about('blob-get', repository), fault });
    },
    code: 'SIZE_MISMATCH',
  },
];

/** A lie has a repository of its own, so that one run meets all. */
const repositoryOf = (lie: Lie): string => `lie-${LIES.indexOf(lie) + 10}`;

function show(name: string, run: MeasuredRun, source: TestRegistry): void {
  const { KEEL_SHOW_COSTS: isShown } = process.env;
  if (isShown === undefined) return;
  const sent = source.journal.bytes().out / MEBIBYTE;
  console.log(name, {
    ...run,
    report: undefined,
    told: run.told.slice(-1000),
    sent,
    requests: source.journal.count(),
  });
}

it('fails what is a lie, copies the rest, and bounds what it costs', { timeout: TIMEOUT }, async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  // Whoever converts an index reads what it lists first.
  await using destination = await startRegistry({ quirks: { refuseOciIndex: true }, access: TOKENS });
  seedImage(source.storage, 'good', { tags: ['v1'] });
  for (const lie of LIES) lie.rig(source, repositoryOf(lie));
  const set = { names: ['good', ...LIES.map(repositoryOf)] };
  const run = await measuredSync({ source, destination }, set);
  show('lies', run, source);
  const { code, told, memory, report } = run;
  expect(code, told).toBe(1);
  expect(memory).toBeGreaterThan(20);
  expect(memory).toBeLessThan(MEMORY_LIMIT);
  const reasonOf = (repository: string): string | undefined =>
    report?.images.find(({ destination: name }) => name.includes(`/keel/${repository}`))?.reason?.code;
  for (const lie of LIES) {
    const repository = repositoryOf(lie);
    const entries = source.journal.filter({ when: (entry) => entry.repository === repository });
    expect.soft(reasonOf(repository), lie.name).toBe(lie.code);
    expect.soft(entries.length, lie.name).toBeLessThan(lie.requests ?? 20);
    const sent = entries.reduce((sum, { bytesOut }) => sum + bytesOut, 0) / MEBIBYTE;
    expect.soft(sent, lie.name).toBeLessThan(lie.sent ?? 40);
  }
  expect(report?.images.find(({ source: name }) => name.endsWith('/good:v1'))?.outcome).toBe('copied');
});

it('copies what is large but true', { timeout: TIMEOUT }, async () => {
  await using source = await startRegistry({ discardAbove: 0, access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  for (let tag = 0; tag < 8; tag += 1) seedLargeManifest(source.storage, 'large', `v1.0.${tag}`, 4_000_000);
  seedImage(source.storage, 'many', { tags: ['v0.0.0'] });
  const digest = source.storage.repository('many').tags.get('v0.0.0');
  if (digest === undefined) throw new Error('nothing was seeded');
  for (let tag = 0; tag < 60_000; tag += 1) source.storage.repository('many').tags.set(`v1.0.${tag}`, digest);
  const set = { names: ['large', 'many'], patches: [{ match: 'many', tags: { latest: 2 } }] };
  const run = await measuredSync({ source, destination }, set);
  show('large', run, source);
  expect(run.code, run.told).toBe(0);
  expect(run.memory).toBeLessThan(MEMORY_LIMIT);
  expect(run.report?.totals).toMatchObject({ total: 10, copied: 10 });
  expect(source.journal.count('tags-list')).toBeLessThan(400);
});

const FATAL: readonly (Omit<Lie, 'rig' | 'code'> & {
  readonly rig: (source: TestRegistry) => void;
  readonly listing?: 'google';
  readonly isGuarded?: true;
  readonly words: string;
})[] = [
  {
    name: 'children of children without end',
    listing: 'google',
    rig: (source) => {
      source.fail({
        match: { kind: 'tags-list' },
        times: Number.POSITIVE_INFINITY,
        fault: made(() => body({ child: Array.from({ length: 30_000 }, (_, at) => `c${at}`), tags: [] })),
      });
    },
    words: 'it lists more than 20000 repositories that match the prefixes',
  },
  {
    name: 'a catalogue without end',
    rig: (source) => {
      source.fail({
        match: { kind: 'catalog' },
        times: Number.POSITIVE_INFINITY,
        fault: made(() => endless('{"repositories":[', (at) => `"c${at}",`)),
      });
    },
    words: 'its list is larger than 64 MiB',
    sent: 90,
  },
  {
    name: 'a token without end',
    isGuarded: true,
    rig: (source) => {
      source.fail({
        match: { kind: 'token' },
        times: Number.POSITIVE_INFINITY,
        fault: made(() => endless('{"token":"', () => 'xxxxxxxxxxxxxxxx')),
      });
    },
    words: 'its token service answered without a token',
  },
];

it.each(FATAL)('ends at $name', { timeout: TIMEOUT }, async (lie) => {
  const { listing, isGuarded, requests = 200, sent = 60 } = lie;
  await using source = await startRegistry({
    ...(listing === undefined ? {} : { listing: { style: listing } }),
    access: isGuarded === undefined ? PUBLIC_TOKENS : { mode: 'bearer', users: {} },
  });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'good', { tags: ['v1'] });
  lie.rig(source);
  const route = { source, destination };
  const run = await measuredSync(route, { names: ['good'], prefixes: [''] });
  show(lie.name, run, source);
  expect(run.code, run.told).toBe(1);
  expect(run.told).toContain(lie.words);
  expect(run.memory).toBeLessThan(MEMORY_LIMIT);
  expect(source.journal.count()).toBeLessThan(requests);
  expect(source.journal.bytes().out / MEBIBYTE).toBeLessThan(sent);
});
