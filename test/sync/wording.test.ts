import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import type { Report, ReportedImage } from '../../src/sync/report/report.ts';
import {
  failedLine,
  failedTogetherLine,
  headlineOf,
  leftOutWarning,
  movedLine,
  nothingNewLine,
  plannedLines,
  releaseLine,
  shrunkWarning,
  unaskedWarning,
  unmatchedWarning,
} from '../../src/sync/report/wording.ts';
import { sampleReport } from '../support/report-sample.ts';

const NONE: Report['totals'] = { total: 0, copied: 0, skipped: 0, failed: 0, deferred: 0, bytes: 0 };
const MIB = 1024 * 1024;
const ROUTE = { source: 'registry.k8s.io', destination: 'registry.cn-hangzhou.aliyuncs.com/keel' };

/** A report of a run that took so many milliseconds. */
function reportOf(totals: Report['totals'], spent: number, more: Partial<Report>): Report {
  const started = new Date(0);
  const ended = new Date(spent);
  const sample = sampleReport([]);
  return { ...sample, totals, started: started.toISOString(), ended: ended.toISOString(), ...more };
}

describe('headline', () => {
  const MIXED = { ...NONE, total: 1217, copied: 12, skipped: 1204, failed: 1, bytes: 340 * MIB };
  test.each<[string, Report['totals'], number, Partial<Report>]>([
    ['12 copied (340 MiB), 1,204 unchanged, 1 failed in 42 s', MIXED, 42_004, {}],
    ['1,204 unchanged in 480 ms', { ...NONE, skipped: 1204 }, 480, {}],
    ['2 copied in 1.5 s', { ...NONE, copied: 2 }, 1_500, {}],
    ['3 unchanged, 4 deferred in 2 m 5 s', { ...NONE, skipped: 3, deferred: 4 }, 125_000, {}],
    ['no image matched in 2 s', NONE, 2_000, {}],
    [
      'nothing new since the day in "since" in 2 s',
      NONE,
      2_000,
      { unselected: [{ image: 'pause', tags: 3, emptied: 'since' }] },
    ],
    [
      'dry run: 12 to copy (340 MiB), 1,204 unchanged, 1 cannot be copied in 10 s',
      MIXED,
      10_400,
      { options: { ...sampleReport([]).options, dryRun: true } },
    ],
    [
      'stopped early, the time limit of 15 m was reached: 2 copied (1 KiB) in 15 m 0 s; 1,800 left for the next run',
      { ...NONE, copied: 2, bytes: 1024 },
      900_300,
      { interrupted: { message: 'the time limit of 15 m was reached', left: 1800 } },
    ],
    [
      'stopped early, SIGINT was received: 2 copied in 3 s; nothing was left',
      { ...NONE, copied: 2 },
      3_000,
      { interrupted: { message: 'SIGINT was received', left: 0 } },
    ],
    [
      'stopped early, cancelled by SIGINT: nothing copied yet in 475 ms; 10 left for the next run',
      { ...NONE, deferred: 10 },
      475,
      { interrupted: { message: 'cancelled by SIGINT', left: 10 } },
    ],
    [
      '1 unchanged, 1 vanished in 68 ms',
      { ...NONE, skipped: 1 },
      68,
      {
        unmatched: [
          { pattern: 'gone', matchedBefore: true },
          { pattern: 'typo', matchedBefore: false },
        ],
      },
    ],
    ['1 vanished in 68 ms', NONE, 68, { unmatched: [{ pattern: 'gone', matchedBefore: true }] }],
    ['shard 1/2 has no images in 2 s', NONE, 2_000, { shards: [{ index: 1, count: 2 }] }],
  ])('%s', (expected, totals, spent, more) => {
    expect(headlineOf(reportOf(totals, spent, more))).toBe(expected);
  });
});

const PAUSE = {
  source: 'registry.k8s.io/pause:3.10.2',
  destination: 'registry.cn-hangzhou.aliyuncs.com/keel/pause:3.10.2',
};

describe('the line of an image', () => {
  test('that moved', () => {
    expect(movedLine({ ...PAUSE, bytes: 1.2 * MIB, milliseconds: 812 }, ROUTE)).toBe(
      '  1.2 MiB    812 ms  pause:3.10.2',
    );
    const renamed = {
      source: 'registry.k8s.io/coredns/coredns:v1.14.2',
      destination: 'registry.cn-hangzhou.aliyuncs.com/keel/coredns:v1.14.2',
      bytes: 0,
      milliseconds: 90_000,
    };
    expect(movedLine(renamed, ROUTE)).toBe('      0 B  1 m 30 s  coredns/coredns:v1.14.2 → coredns:v1.14.2');
    const extra = { ...renamed, source: `ghcr.io/signed:sha256-${'0123456789abcdef'.repeat(4)}.sig` };
    expect(movedLine(extra, ROUTE)).toBe(
      '      0 B  1 m 30 s  ghcr.io/signed:sha256-0123456789ab….sig → coredns:v1.14.2',
    );
  });

  test('that a dry run would copy', () => {
    const reason = { code: 'MISSING', message: 'missing' };
    const image = { ...PAUSE, outcome: 'copied' } as const;
    expect(plannedLines([{ ...image, reason }], ROUTE)).toEqual(['  pause:3.10.2  (missing)']);
    expect(plannedLines([image, { ...image, outcome: 'skipped' }], ROUTE)).toEqual(['  pause:3.10.2']);
  });

  test('that a dry run would copy stands by its name, and a new repository is told once', () => {
    const reason = { code: 'REPOSITORY_NEW', message: 'the repository is new' };
    const images = ['3.10', '3.9', '3.2'].map((tag) => {
      const name = `registry.k8s.io/pause:${tag}`;
      return { source: name, destination: name, outcome: 'copied', reason } as const;
    });
    const route = { source: 'registry.k8s.io', destination: 'registry.k8s.io' };
    expect(plannedLines(images, route)).toEqual([
      '  pause:3.2  (the repository is new)',
      '  pause:3.9',
      '  pause:3.10',
    ]);
  });

  const denied = { code: 'DENIED', message: 'keel/pause may not be pushed to', hint: 'log in as its owner' };
  const late = { code: 'RATE_LIMITED', message: 'rate limited until 14:05' };
  test.each<[ReportedImage['outcome'], Partial<ReportedImage>, string]>([
    ['failed', { reason: denied }, `${PAUSE.source}: keel/pause may not be pushed to (log in as its owner)`],
    ['failed', {}, `${PAUSE.source}: failed`],
    ['deferred', { reason: late }, `${PAUSE.source}: deferred, rate limited until 14:05`],
    ['deferred', {}, `${PAUSE.source}: deferred, the run ended first`],
    ['withdrawn', {}, `${PAUSE.source}: given up, it took longer than --push-timeout`],
    [
      'collision',
      {
        claimants: ['registry.k8s.io/a/pause', 'quay.io/b/pause'],
        reason: { ...denied, hint: 'add a patch' },
      },
      `${PAUSE.destination}: claimed by registry.k8s.io/a/pause and quay.io/b/pause; left unchanged (add a patch)`,
    ],
  ])('that did not arrive: %s %o', (outcome, more, expected) => {
    expect(failedLine({ ...PAUSE, outcome, ...more })).toBe(expected);
    expect(failedTogetherLine({ ...PAUSE, outcome, ...more }, [])).toBe(expected);
  });

  const names = (tag: string) => ({
    source: `h:1/coredns/coredns:${tag}`,
    destination: `d:2/keel/dns:${tag}`,
  });
  const foreign = { code: 'PLATFORM_MISSING', message: 'it does not exist for linux/riscv64', hint: 'see' };
  test.each<[string[], ReportedImage['outcome'], string]>([
    [
      ['v1.10.0', 'v1.9.0'],
      'failed',
      'h:1/coredns/coredns (2 tags, v1.9.0 and v1.10.0): it does not exist for linux/riscv64 (see)',
    ],
    [
      ['v1.9.0', 'v1.12.0', 'v1.1.0', 'v1.10.0'],
      'failed',
      'h:1/coredns/coredns (4 tags, v1.1.0 … v1.12.0): it does not exist for linux/riscv64 (see)',
    ],
    [
      ['v2', 'v1'],
      'collision',
      'd:2/keel/dns (2 tags, v1 and v2): claimed by h:1/a/dns and q:3/dns; left unchanged (see)',
    ],
  ])('that did not arrive together: %j, %s', (tags, outcome, expected) => {
    const [first = '', ...others] = tags;
    const claimants = [`h:1/a/dns:${first}`, `q:3/dns:${first}`];
    const image = { ...names(first), outcome, reason: foreign, claimants };
    const rest = others.map((tag) => ({ ...image, ...names(tag) }));
    expect(failedTogetherLine(image, rest)).toBe(expected);
  });
});

test('images that are older than the day that is asked for are told by name, in order', () => {
  expect(nothingNewLine([])).toBeUndefined();
  expect(nothingNewLine(['d', 'b', 'a', 'c'])).toBe('older than the day in "since": a, b, c and 1 more');
});

describe('warnings', () => {
  test('about a name that matches nothing tell apart a mistake and a loss', () => {
    expect(unmatchedWarning({ pattern: 'puase', matchedBefore: false })).toBe(
      '"puase" matches nothing at the source; correct or remove it',
    );
    expect(unmatchedWarning({ pattern: 'pause', matchedBefore: true })).toContain(
      '"pause" matched in the last run',
    );
  });

  test.each([
    [14, '"team/ap" finds 14 names, and "exclude" excludes all of them'],
    [1, '"team/ap" finds 1 name, and "exclude" excludes it'],
    [0, '"team/ap" contains a part that "exclude" names, so all of its images are excluded'],
  ])('about a prefix of which "exclude" leaves nothing name it (%i)', (excluded, told) => {
    expect(unmatchedWarning({ pattern: 'team/ap', matchedBefore: false, excluded })).toBe(told);
  });

  test.each([
    [100, 81, false],
    [100, 80, true],
    [100, 0, true],
    [5, 4, true],
    [4, 0, false],
    [0, 0, false],
    [10, 30, false],
  ])('about a listing that went from %i to %i entries: %s', (before, now, warns) => {
    expect(shrunkWarning('registry.k8s.io/pause', before, now) !== undefined).toBe(warns);
  });

  test('about a listing name both numbers', () => {
    expect(shrunkWarning('registry.k8s.io/pause', 1500, 1)).toContain(
      'registry.k8s.io/pause: the listing shrank from 1,500 to 1 entry;',
    );
  });
});

describe('the warning about what could not be asked for', () => {
  test('is none where all was', () => {
    expect(unaskedWarning(new Map())).toBeUndefined();
  });

  test('counts the tags, names some, and says why', () => {
    const why = new Failure({ code: 'REGISTRY_BROKEN', about: 'e.org', message: 'it broke' });
    const names = ['a:1', 'b:1', 'c:1', 'd:1'].map((name): [string, unknown] => [`e.org/${name}`, why]);
    expect(unaskedWarning(new Map(names))).toBe(
      'the manifests and layers of 4 tags could not be checked, so they may be incomplete at the destination (e.org: it broke): ' +
        'e.org/a:1, e.org/b:1, e.org/c:1 and 1 more',
    );
  });
});

describe('the line of what a word for releases means', () => {
  const release = (word: string, ...versions: [string, string][]) => ({
    word,
    versions: versions.map(([version, origin]) => ({ version, origin })),
  });
  const many = Array.from({ length: 7 }, (_, patch): [string, string] => [`1.36.${6 - patch}`, 'table']);

  test.each([
    ['is none of a version that is known', release('1.37.1', ['1.37.1', 'table']), undefined],
    ['is none of what the source lacks', release('latest'), undefined],
    [
      'says who knows a version',
      release('1.38.0', ['1.38.0', 'kubernetes v1.38.0']),
      'Kubernetes 1.38.0 (tags from kubernetes v1.38.0)',
    ],
    [
      'says which version it is',
      release('latest', ['1.37.1', 'table']),
      'Kubernetes latest: 1.37.1 (tags from table)',
    ],
    [
      'names them, the oldest first',
      release('1.38', ['1.38.1', 'kubeadm 1.38.1'], ['1.38.0', 'kubernetes v1.38.0']),
      'Kubernetes 1.38: 1.38.0, 1.38.1 (tags from kubeadm 1.38.1; kubernetes v1.38.0)',
    ],
    ['shortens many', release('1.36', ...many), 'Kubernetes 1.36: 1.36.0 … 1.36.6 (7) (tags from table)'],
    [
      'shortens many origins',
      release(
        '1.9',
        ...['d', 'c', 'b', 'a'].map((origin, index): [string, string] => [`1.9.${3 - index}`, origin]),
      ),
      'Kubernetes 1.9: 1.9.0, 1.9.1, 1.9.2, 1.9.3 (tags from d; c; b; 1 more)',
    ],
  ])('%s', (_, word, line) => {
    expect(releaseLine(word)).toBe(line);
  });
});

describe('the warning about layers that are not at the destination', () => {
  const partial = (name: string, layersLeftOut?: number) => ({ destination: `e.org/${name}`, layersLeftOut });

  test('is none where all are', () => {
    expect(leftOutWarning([partial('a:1'), partial('b:1', 0)])).toBeUndefined();
  });

  test('counts them, and names some of the images', () => {
    const images = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1'].map((name) => partial(name, 2));
    expect(leftOutWarning(images)).toBe(
      '5 images are mirrored in part, without 10 layers of a type that is not distributed (their addresses are in the ' +
        'manifests): e.org/a:1, e.org/b:1, e.org/c:1 and 2 more',
    );
  });
});
