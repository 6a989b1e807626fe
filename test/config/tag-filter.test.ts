import { describe, expect, test } from 'vitest';
import { type DatedTag, newestFirst } from '../../src/config/tag-age.ts';
import { filterTags, tagFilterSchema } from '../../src/config/tag-filter.ts';

function offered(...tags: (string | [string, string])[]): DatedTag[] {
  return tags.map((tag) =>
    typeof tag === 'string' ? { tag } : { tag: tag[0], uploaded: new Date(`${tag[1]}T00:00:00Z`) },
  );
}

/** What a filter lets through, the newest first. */
function filtered(filter: object, tags: readonly DatedTag[]): string[] {
  return newestFirst(filterTags(tagFilterSchema.parse(filter), tags).tags).map(({ tag }) => tag);
}

describe('a filter of tags', () => {
  const tags = offered('latest', 'v1.34.0', 'v1.36.1', 'v1.35.2', 'v1.37.0-rc.0', 'v1.36.1-amd64');

  test.each<[string, object, string[]]>([
    ['no filter', {}, ['v1.37.0-rc.0', 'v1.36.1', 'v1.36.1-amd64', 'v1.35.2', 'v1.34.0', 'latest']],
    ['semver', { semver: '>=1.35' }, ['v1.36.1', 'v1.36.1-amd64', 'v1.35.2']],
    ['semver that asks for a pre-release', { semver: '>=1.37.0-alpha.0' }, ['v1.37.0-rc.0']],
    ['semver, either', { semver: '~1.34.0 || 1.35.x' }, ['v1.35.2', 'v1.34.0']],
    ['latest counts releases first', { latest: 2 }, ['v1.36.1', 'v1.36.1-amd64']],
    [
      'latest takes the rest where releases are few',
      { latest: 5 },
      ['v1.37.0-rc.0', 'v1.36.1', 'v1.36.1-amd64', 'v1.35.2', 'v1.34.0'],
    ],
    ['regex, anywhere', { regex: '1\\.3[45]' }, ['v1.35.2', 'v1.34.0']],
    ['regex, whole', { regex: '^v[0-9.]+$', latest: 2 }, ['v1.36.1', 'v1.35.2']],
    ['nothing left', { semver: '>=9' }, []],
  ])('%s', (_name, filter, wanted) => {
    expect(filtered(filter, tags)).toEqual(wanted);
  });

  test.each<[string, string, string[], string[]]>([
    ['revisions', '>=3.5.21', ['3.5.21-0', '3.5.20-0', 'v3.6.11', '3.10'], ['3.10', 'v3.6.11', '3.5.21-0']],
    ['two numbers', '>=3.10', ['3.9', '3.10', '3.10.2'], ['3.10.2', '3.10']],
    ['named builds', '~1.9.1', ['v1.9.1-flannel3', 'v1.8.0-flannel1'], ['v1.9.1-flannel3']],
    ['dates are no versions', '>=1', ['v20240513-35280ba', '20240513', 'v1.5.2'], ['v1.5.2']],
    ['commits behind a release', '>=1', ['v1.5.2-3-gabcdef0', 'v1.5.2'], ['v1.5.2']],
    ['leading zeros', '>=1.37.0-rc.1', ['v1.37.0-rc.01', 'v1.37.0-rc.00'], ['v1.37.0-rc.01']],
  ])('versions as Kubernetes writes them: %s', (_name, semver, given, wanted) => {
    expect(filtered({ semver }, offered(...given))).toEqual(wanted);
  });

  test.each([
    ['goes by the time of upload; without one a tag stays', { since: '2025-01-01' }, ['v3', 'v2']],
    ['has every part agree', { since: '2025-01-01', regex: '2' }, ['v2']],
    ['counts the newest last', { since: '2025-01-01', latest: 1 }, ['v3']],
  ])('%s', (_name, filter, wanted) => {
    expect(filtered(filter, offered(['v1', '2024-12-31'], ['v2', '2025-01-01'], 'v3'))).toEqual(wanted);
  });

  test.each<[string, object, string[], { taken: string; left: string } | undefined]>([
    ['names of releases', { latest: 1 }, ['noble', 'jammy'], { taken: 'jammy', left: 'noble' }],
    [
      'commits',
      { latest: 2 },
      ['sha-7e12abc', 'sha-0000abc', 'sha-ffffabc'],
      { taken: 'sha-7e12abc', left: 'sha-ffffabc' },
    ],
    ['tags that are all taken', { latest: 2 }, ['noble', 'jammy'], undefined],
    ['versions', { latest: 1 }, ['1.2', '1.3'], undefined],
    ['all of them', {}, ['noble', 'jammy'], undefined],
  ])('tells where nothing tells which is newer: %s', (_name, filter, given, unclearCut) => {
    expect(filterTags(tagFilterSchema.parse(filter), offered(...given)).unclearCut).toEqual(unclearCut);
  });
});
