import { expect, test } from 'vitest';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import type { SummaryFacts } from '../../src/summary/facts.ts';
import { PAGE_LIMIT } from '../../src/summary/page.ts';
import { formatSummary } from '../../src/summary/sync-summary.ts';

const NOTHING: SummaryFacts = {
  headline: 'Everything was there already: 5000 images at registry.example/keel',
  source: 'registry.k8s.io',
  destination: 'registry.example/keel',
  outcome: 'succeeded',
  dryRun: false,
  wanted: 5000,
  copied: [],
  skipped: 5000,
  failed: 0,
  moved: [],
  failures: [],
  young: [],
  deferred: [],
  collisions: [],
  unmatched: [],
  releases: [],
  warnings: [],
  bytes: 0,
  duration: seconds(41),
  runs: [],
};

const MIB = 1 << 20;

test('a night without news is short', () => {
  expect(formatSummary(NOTHING)).toBe(
    [
      '## ✅ Everything was there already: 5000 images at registry.example/keel',
      '',
      'From <code>registry.k8s.io</code> to <code>registry.example/keel</code>',
      '',
      '| Wanted | Copied | Unchanged | Failed | Sent | Time |',
      '| --: | --: | --: | --: | --: | --: |',
      '| 5,000 | 0 | 5,000 | 0 | 0 B | 41.0 s |',
      '',
    ].join('\n'),
  );
});

test('how many signatures were verified stands below the totals, where they were asked for', () => {
  const page = formatSummary({ ...NOTHING, signatures: 'signatures: 3 verified' });
  expect(page.split('\n').slice(-4)).toEqual([
    '| 5,000 | 0 | 5,000 | 0 | 0 B | 41.0 s |',
    '',
    'Signatures: 3 verified',
    '',
  ]);
});

test('a night with news tells what failed first, then what moved', () => {
  const copied = ['3.6.5-0', '3.6.4-0'].map((tag, index) => ({
    repository: 'registry.example/keel/etcd',
    tag,
    bytes: 60 * MIB,
    duration: seconds(4 + index),
  }));
  const pause = {
    repository: 'registry.example/keel/pause',
    tag: '3.10.2',
    bytes: MIB,
    duration: milliseconds(350),
  };
  const page = formatSummary({
    ...NOTHING,
    headline: 'Mirrored 3 images to registry.example/keel, 7 failed',
    outcome: 'failed',
    wanted: 5010,
    failed: 8,
    copied: [...copied, pause],
    failures: [
      { images: ['registry.k8s.io/gone:1'], message: 'the manifest is not there (404)', hint: undefined },
      {
        images: [1, 2, 3, 4, 5, 6].map((minor) => `registry.k8s.io/kube-proxy:v1.36.${minor}`),
        message: 'the destination refused the upload (403)',
        hint: 'check that the user may push to keel',
      },
    ],
    deferred: [
      { images: ['docker.io/library/nginx:1.29'], message: 'rate limited until 18:00', hint: undefined },
    ],
    collisions: [
      {
        destination: 'registry.example/keel/kube-scheduler:v0.34.7',
        sources: ['registry.k8s.io/kube-scheduler', 'registry.k8s.io/scheduler-plugins/kube-scheduler'],
        patch: '{"match":"scheduler-plugins/kube-scheduler","name":"scheduler-plugins-kube-scheduler"}',
      },
    ],
    unmatched: [
      { name: 'kube-apisrever', place: { file: 'image_set.json', line: 4, column: 5 } },
      { name: 'cli', place: undefined },
    ],
    warnings: ['the listing of sig-storage shrank from 40 to 20'],
    bytes: 121 * MIB,
  });
  expect(page).toBe(
    `## ❌ Mirrored 3 images to registry.example/keel, 7 failed

From <code>registry.k8s.io</code> to <code>registry.example/keel</code>

| Wanted | Copied | Unchanged | Failed | Deferred | Sent | Time |
| --: | --: | --: | --: | --: | --: | --: |
| 5,010 | 3 | 5,000 | **8** | 1 | 121 MiB | 41.0 s |

### Other failures (7)

| Image | What happened | What to do |
| --- | --- | --- |
| <code>kube-proxy:v1.36.1</code><br><code>kube-proxy:v1.36.2</code><br><code>kube-proxy:v1.36.3</code><br><code>kube-proxy:v1.36.4</code><br><code>kube-proxy:v1.36.5</code><br>and 1 more | the destination refused the upload (403) | check that the user may push to keel |
| <code>gone:1</code> | the manifest is not there (404) |  |

### Names that several images claim (1)

Nothing was overwritten. Add a patch to the image set to rename one of them.

| At the destination | Claimed by | Patch |
| --- | --- | --- |
| <code>kube-scheduler:v0.34.7</code> | <code>kube-scheduler</code><br><code>scheduler-plugins/kube-scheduler</code> | <code>{&#34;match&#34;:&#34;scheduler-plugins/kube-scheduler&#34;,&#34;name&#34;:&#34;scheduler-plugins-kube-scheduler&#34;}</code> |

### Left for the next run (1)

| Image | What happened | What to do |
| --- | --- | --- |
| <code>docker.io/library/nginx:1.29</code> | rate limited until 18:00 |  |

### Names that match nothing (2)

| Name | Place |
| --- | --- |
| <code>kube-apisrever</code> | <code>image&#95;set.json:4:5</code> |
| <code>cli</code> |  |

### Warnings (1)

- the listing of sig-storage shrank from 40 to 20

### Copied (3 in 2 repositories)

<details open><summary>By repository</summary>

| Repository | Tags | Sent |
| --- | --- | --: |
| <code>etcd</code> | <code>3.6.5-0</code> <code>3.6.4-0</code> | 120 MiB |
| <code>pause</code> | <code>3.10.2</code> | 1 MiB |

</details>

<details><summary>Slowest images</summary>

| Image | Time | Sent | Rate |
| --- | --: | --: | --: |
| <code>etcd:3.6.4-0</code> | 5.0 s | 60 MiB | 12 MiB/s |
| <code>etcd:3.6.5-0</code> | 4.0 s | 60 MiB | 15 MiB/s |
| <code>pause:3.10.2</code> | 350 ms | 1 MiB | 2.9 MiB/s |

</details>
`,
  );
});

test('what others wrote cannot become markup', () => {
  const evil = '</td>\n\n# <img src=x onerror=alert(1)> [click](https://evil) `a` @octocat | b';
  const page = formatSummary({
    ...NOTHING,
    headline: evil,
    copied: [{ repository: evil, tag: evil, bytes: 1, duration: seconds(1) }],
    moved: [{ image: evil, before: evil, now: evil, message: evil, hint: evil }],
    failures: [{ images: [evil], message: evil, hint: evil }],
    collisions: [{ destination: evil, sources: [evil], patch: evil }],
    unmatched: [{ name: evil, place: { file: evil, line: 1, column: 1 } }],
    warnings: [evil],
  });
  expect(page).not.toMatch(/<img|<\/td>|\]\(|@octocat|https:\/\/|^# /m);
});

test('a page of a huge run stays below what GitHub shows, and keeps what matters', () => {
  const page = formatSummary({
    ...NOTHING,
    copied: Array.from({ length: 30_000 }, (_, index) => ({
      repository: `registry.example/keel/repository-${index}`,
      tag: 'v1.0.0',
      bytes: 1,
      duration: seconds(1),
    })),
    failures: [{ images: ['a'], message: 'the one failure', hint: undefined }],
  });
  expect(Buffer.byteLength(page)).toBeLessThanOrEqual(PAGE_LIMIT);
  expect(page).toContain('the one failure');
  expect(page).toMatch(/\| and \d+ more in the report \|/);
  expect(page).toContain('Slowest images');
});

test('a dry run says that nothing was done', () => {
  const copied = [{ repository: 'r', tag: 't', bytes: 0, duration: seconds(0) }];
  const page = formatSummary({ ...NOTHING, dryRun: true, copied });
  expect(page).toContain('| Wanted | Would be copied |');
  expect(page).toContain('### To be copied (1 in 1 repository)');
});

test('what the words for releases of Kubernetes mean has a table of its own', () => {
  const releases = [
    {
      word: 'supported',
      versions: '1.36.0 … 1.38.0 (9)',
      isOpen: false,
      origins: 'kubernetes v1.38.0, table',
    },
    { word: 'latest-9', versions: '', isOpen: false, origins: '' },
    { word: 'latest', versions: '', isOpen: true, origins: '' },
  ];
  expect(formatSummary({ ...NOTHING, releases })).toContain(
    [
      '### Kubernetes',
      '',
      '| In the image set | Releases | Tags from |',
      '| --- | --- | --- |',
      '| <code>supported</code> | 1.36.0 … 1.38.0 (9) | kubernetes v1.38.0, table |',
      '| <code>latest-9</code> | none at the source |  |',
      '| <code>latest</code> | not known |  |',
    ].join('\n'),
  );
});
