import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOrderTold, newestFirst } from '../../src/config/tag-age.ts';
import { filterTags } from '../../src/config/tag-filter.ts';

const someTag = fc.oneof(
  fc.stringMatching(/^v?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-(alpha|beta|rc|flannel|arm64)?[.]?[0-9]{0,2})?$/),
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/),
  fc.constantFrom('latest', 'v20240513-35280ba', 'v1.2.3-4-gabcdef0', '3.5.21-0', '1.2.3rc1'),
);
const somePlain = fc.record({
  tag: someTag,
  uploaded: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
});

describe('the order of tags', () => {
  test('has the newest first', () => {
    const ordered = [
      'v1.37.0',
      'v1.37.0-rc.1',
      'v1.37.0-rc.0',
      'v1.37.0-beta.0',
      'v1.37.0-alpha.10',
      'v1.37.0-alpha.2',
      'v1.36.10',
      'v1.36.9',
      'v1.36',
      '1.9.1-flannel3',
      '1.9.1-flannel2',
      '1.9.1-1',
      '1.9.1-0',
      '1.9.1',
      '20260101',
      'v20240513-35280ba',
      'latest',
      'master',
    ];
    const shuffled = ordered.toReversed().map((tag) => ({ tag }));
    expect(newestFirst(shuffled).map(({ tag }) => tag)).toEqual(ordered);
  });

  test('falls back to the time of upload', () => {
    const offered = [
      { tag: 'nightly-a', uploaded: new Date('2026-01-01') },
      { tag: 'nightly-b', uploaded: new Date('2026-01-02') },
      { tag: 'nightly-c' },
    ];
    expect(newestFirst(offered).map(({ tag }) => tag)).toEqual(['nightly-b', 'nightly-a', 'nightly-c']);
  });

  test('is one for all tags, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(somePlain, { maxLength: 12 }), (offered) => {
        const tags = newestFirst(offered).map(({ tag }) => tag);
        expect(newestFirst(offered.toReversed()).map(({ tag }) => tag)).toEqual(tags);
      }),
    );
  });
});

/** Tags of real images, a few of each; each line is a family and what `latest: 2` takes of it. */
const FAMILIES: readonly (readonly [string, readonly string[], readonly [string, string]])[] = [
  [
    'minio',
    [
      'RELEASE.2020-01-03T19-12-21Z',
      'RELEASE.2021-04-22T15-44-28Z',
      'RELEASE.2024-12-18T13-15-44Z',
      'RELEASE.2025-04-22T22-12-26Z',
      'RELEASE.2025-04-22T08-12-26Z',
      'latest',
      'edge',
    ],
    ['RELEASE.2025-04-22T22-12-26Z', 'RELEASE.2025-04-22T08-12-26Z'],
  ],
  ['dates', ['20231231', '20240101', '20240229', 'latest'], ['20240229', '20240101']],
  ['dates with dashes', ['2024-05-13', '2023-12-01', '2024-11-02'], ['2024-11-02', '2024-05-13']],
  [
    'dates with times',
    ['202405130101', '20240513000000', '20240512235959'],
    ['202405130101', '20240513000000'],
  ],
  ['ubuntu', ['jammy', 'noble-20240605', '9.10', '24.04', '22.04', 'latest', 'devel'], ['24.04', '22.04']],
  [
    'ubuntu by day',
    ['jammy', 'jammy-20240111', 'noble-20240605', 'focal-20241011', 'noble', 'devel-20251101'],
    ['focal-20241011', 'noble-20240605'],
  ],
  [
    'debian',
    ['bookworm-20240110-slim', 'bookworm-20240211-slim', 'bookworm-20231218-slim'],
    ['bookworm-20240211-slim', 'bookworm-20240110-slim'],
  ],
  ['jdk 8', ['8u92-jdk', '8u312-jdk', '8u302-jdk', '8u402-jdk'], ['8u402-jdk', '8u312-jdk']],
  [
    'jdk',
    ['8u412-jdk', '17.0.2-jdk', '22-ea-12-jdk', '21.0.3-jdk', '23-ea-3-jdk'],
    ['21.0.3-jdk', '17.0.2-jdk'],
  ],
  ['temurin', ['8u402-b06-jre', '8u402-b10-jre', '8u392-b08-jre'], ['8u402-b10-jre', '8u402-b06-jre']],
  [
    'golang',
    [
      '1.21-alpine3.19',
      '1.22-alpine3.9',
      '1.22-alpine3.19',
      '1.22-alpine3.18',
      '1.23rc1-alpine3.19',
      '1.9-alpine3.19',
    ],
    ['1.22-alpine3.19', '1.22-alpine3.18'],
  ],
  [
    'golang, plain',
    ['1.22.1', '1.22.1-alpine', '1.22.1-bookworm', '1.21.9', '1.22.1-alpine3.19'],
    ['1.22.1', '1.22.1-bookworm'],
  ],
  [
    'EKS',
    ['v1.29.0-eksbuild.1', 'v1.29.0-eksbuild.10', 'v1.29.0-eksbuild.2', 'v1.28.5-eksbuild.3'],
    ['v1.29.0-eksbuild.10', 'v1.29.0-eksbuild.2'],
  ],
  [
    'postgres',
    ['16.2-bookworm', '16.10-bookworm', '9.6-bookworm', '17beta1-bookworm'],
    ['16.10-bookworm', '16.2-bookworm'],
  ],
  [
    'grafana',
    ['10.4.1-ubuntu', '10.4.1', '10.3.12', '9.5.18', '11.0.0-preview'],
    ['10.4.1', '10.4.1-ubuntu'],
  ],
  [
    'calendar versions',
    ['2024.1.0', '2024.10.0', '2024.9.1', '2023.12.4', '2024.11.0b3'],
    ['2024.10.0', '2024.9.1'],
  ],
  [
    'nightly builds',
    ['nightly-2024-01-01', 'nightly-2023-12-31', 'nightly-2024-02-01', 'nightly'],
    ['nightly-2024-02-01', 'nightly-2024-01-01'],
  ],
  [
    'nightly builds among releases',
    ['nightly-2025-01-01', '1.9.0', '1.10.0', '1.11.0-nightly'],
    ['1.10.0', '1.9.0'],
  ],
  [
    'cuda',
    ['12.2.0-base-ubuntu22.04', '12.10.0-base-ubuntu22.04', '11.8.0-base-ubuntu22.04'],
    ['12.10.0-base-ubuntu22.04', '12.2.0-base-ubuntu22.04'],
  ],
  [
    'release branches',
    ['release-1.9', 'release-1.36', 'release-1.37', 'main'],
    ['release-1.37', 'release-1.36'],
  ],
  [
    'words before versions',
    ['nginx-1.9.15', 'nginx-1.25.3', 'nginx-1.25.10'],
    ['nginx-1.25.10', 'nginx-1.25.3'],
  ],
  ['REL', ['REL_9_6', 'REL_16_2', 'REL_16_10', 'REL_17_BETA_1'], ['REL_16_10', 'REL_16_2']],
  ['builds by number', ['b999', 'b1000', 'b4321', 'latest'], ['b4321', 'b1000']],
  ['numbers of builds', ['99', '100', '1002', '1001'], ['1002', '1001']],
  ['requests', ['pr-9', 'pr-12', 'latest', 'stable', 'edge'], ['latest', 'stable']],
  [
    'commits with times',
    ['main-7e12abc-1714521600', 'main-aabbcc1-1714521700', 'main-0123abc-999999999'],
    ['main-aabbcc1-1714521700', 'main-7e12abc-1714521600'],
  ],
  [
    'bitnami',
    ['16.2.0-debian-12-r5', '16.2.0-debian-12-r18', '16.2.0-debian-11-r40', '16.1.0-debian-12-r9'],
    ['16.2.0-debian-12-r18', '16.2.0-debian-12-r5'],
  ],
  [
    'linuxserver',
    ['1.40.2-ls99', '1.40.2-ls201', '1.40.2-ls200', 'develop-1.41.0-ls1'],
    ['1.40.2-ls201', '1.40.2-ls200'],
  ],
  ['spring', ['2.7.18.RELEASE', '2.7.9.RELEASE', '2.7.19.M1'], ['2.7.18.RELEASE', '2.7.9.RELEASE']],
  ['etcd', ['3.5.21-0', '3.5.9-0', '3.6.0-rc.3', '3.6.0-0'], ['3.6.0-0', '3.5.21-0']],
  ['previews of Windows', ['ltsc2019', 'ltsc2022', 'ltsc2025', 'insiders-26000'], ['ltsc2025', 'ltsc2022']],
  [
    'dates with commits',
    ['v20240513-35280ba', 'v20240513-12345ab', 'v20230101-ffffff1', 'v20250101-0000aa1'],
    ['v20250101-0000aa1', 'v20240513-12345ab'],
  ],
  [
    'days with the year last',
    ['01-02-2024', '02-01-2025', '03-01-2023', '31-12-2022'],
    ['02-01-2025', '01-02-2024'],
  ],
  [
    'days with the day first',
    ['02.01.2025', '01.02.2025', '13.01.2025', '31.12.2024'],
    ['01.02.2025', '13.01.2025'],
  ],
  [
    'days with the month first',
    ['build_02_01_2025', 'build_01_02_2025', 'build_01_13_2025'],
    ['build_02_01_2025', 'build_01_13_2025'],
  ],
  [
    'days with the year last, and a build',
    ['1-2-2024-9', '1-2-2024-10', '30-1-2024-11', 'latest'],
    ['1-2-2024-10', '1-2-2024-9'],
  ],
  [
    'long numbers',
    ['r9007199254740993', 'r9007199254740992', 'r09007199254740991', 'r99999999999999999999', 'r7'],
    ['r99999999999999999999', 'r9007199254740993'],
  ],
  [
    'long numbers after a version',
    ['1.0.0-9007199254740992', '1.0.0-9007199254740993', '1.0.0-09007199254740994'],
    ['1.0.0-09007199254740994', '1.0.0-9007199254740993'],
  ],
  [
    'one release among builds',
    ['v1.0.0', 'sha-abc123', 'pr-12', 'nightly-2025-01-01', 'main'],
    ['v1.0.0', 'nightly-2025-01-01'],
  ],
  ['architectures', ['v1.8.0-amd64', 'v1.8.0', 'v1.7.0', 'v1.8.0-s390x', 'v1.9.0'], ['v1.9.0', 'v1.8.0']],
];

function newest(tags: readonly string[], latest: number): string[] {
  const offered = tags.map((tag) => ({ tag }));
  return newestFirst(filterTags({ latest }, offered).tags).map(({ tag }) => tag);
}

describe('the two newest tags', () => {
  test.each(FAMILIES)('of %s', (_, tags, expected) => {
    expect(newest(tags, 2)).toEqual(expected);
    expect(newest(tags.toReversed(), 2)).toEqual(newest(tags, 2));
  });
});

describe('which of two tags is newer', () => {
  test('is told of days by the other tags, where these show which number is the month', () => {
    const [one, other] = [{ tag: '01-02-2024' }, { tag: '02-01-2024' }] as const;
    expect(isOrderTold(one, other)).toBe(false);
    expect(isOrderTold(one, other, [one, other, { tag: '31-12-2023' }])).toBe(true);
    expect(filterTags({ latest: 1 }, [one, other]).unclearCut).toEqual({
      taken: '01-02-2024',
      left: '02-01-2024',
    });
    expect(filterTags({ latest: 1 }, [one, other, { tag: '12-31-2023' }])).toEqual({
      tags: [other],
      unclearCut: undefined,
      isAllOlder: false,
    });
  });

  test.each([
    ['1.22.1', '1.22.0-alpine'],
    ['3.5.21-1', '3.5.21-0'],
    ['v1.9.1-flannel3', 'v1.9.1-flannel2'],
    ['1.22-alpine3.19', '1.22-alpine3.18'],
    ['1.22.1', '1.22.1-alpine'],
    ['1.0.0', '1.0.0-rc.1'],
    ['jammy-20240111', 'noble-20240110'],
    ['RELEASE.2025-04-22T22-12-26Z', 'RELEASE.2025-04-22T08-12-26Z'],
    ['8u312-jdk', '8u302-jre'],
    ['pr-12', 'pr-9'],
    ['latest', 'edge'],
    ['02-01-2025', '12-11-2024'],
    ['03-04-2024', '01-02-2024'],
    ['01-02-2024', '31-01-2024'],
    ['100000000000000000002', '100000000000000000001'],
  ])('is told by the names %s and %s', (one, other) => {
    expect(newest([other, one], 1)).toEqual([one]);
    expect(isOrderTold({ tag: one }, { tag: other })).toBe(true);
  });

  test.each([
    ['jammy', 'noble'],
    ['sha-7e12abc', 'sha-1234567'],
    ['7e12abc', '1234567'],
    ['latest', 'stable'],
    ['1.22.1-alpine', '1.22.1-bookworm'],
    ['12.2.0-base-ubuntu22.04', '12.2.0-devel-ubuntu22.04'],
    ['v1.8.0-amd64', 'v1.8.0-s390x'],
    ['v20240513-35280ba', 'v20240513-12345ab'],
    ['alpine-3', 'node-18'],
    ['8u312-jdk', '8u312-jre'],
  ])('is not told by the names %s and %s, but may be by their times', (one, other) => {
    expect(isOrderTold({ tag: one }, { tag: other })).toBe(false);
    const uploaded = (day: string) => new Date(`2026-01-${day}`);
    const dated = [
      { tag: one, uploaded: uploaded('01') },
      { tag: other, uploaded: uploaded('02') },
    ] as const;
    expect(isOrderTold(...dated)).toBe(true);
    expect(isOrderTold(dated[0], { tag: other })).toBe(false);
  });
});
