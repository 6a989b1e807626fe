import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { movedTagsRule, movedTagsSchema, readMovedTags } from '../../src/config/moved-tags.ts';

function read(movedTags: object) {
  const document = parseDocument('image_set.json', JSON.stringify({ movedTags }));
  return readMovedTags(document, movedTagsSchema.parse(movedTags));
}

const RULES = {
  'ghcr.io': 'copy',
  'ghcr.io/team': 'keep',
  'ghcr.io/team/app': 'copy',
  'ghcr.io/team/app:v1.2.3': 'keep',
  'ghcr.io/team/app:stable': 'warn',
  'registry.example:5000': 'keep',
  'docker.io/busybox': 'keep',
  'docker.io/busybox:1': 'copy',
} as const;

describe('the narrowest scope', () => {
  test.each([
    ['ghcr.io', 'other/app', 'v1.2.3', { mode: 'copy', isFixed: true }],
    ['ghcr.io', 'team/other', 'v1.2.3', { mode: 'keep', isFixed: true }],
    ['ghcr.io', 'teams/other', 'v1.2.3', { mode: 'copy', isFixed: true }],
    ['ghcr.io', 'team/app', 'v1.2.4', { mode: 'copy', isFixed: true }],
    ['ghcr.io', 'team/app', 'v1.2.3', { mode: 'keep', isFixed: true }],
    ['ghcr.io', 'team/app/part', 'v1.2.3', { mode: 'copy', isFixed: true }],
    ['ghcr.io', 'team/app', 'stable', { mode: 'warn', isFixed: true }],
    ['ghcr.io', 'team/other', 'stable', { mode: 'keep', isFixed: false }],
    ['registry.example:5000', 'app', 'latest', { mode: 'keep', isFixed: false }],
    ['quay.io', 'team/app', 'v1.2.3', { mode: 'warn', isFixed: true }],
    ['docker.io', 'library/busybox', 'latest', { mode: 'keep', isFixed: false }],
    ['docker.io', 'library/busybox', '1', { mode: 'copy', isFixed: true }],
    ['docker.io', 'busybox/tool', '1', { mode: 'keep', isFixed: false }],
  ])('counts for %s/%s:%s', (host, repository, tag, rule) => {
    const { rules, problems } = read(RULES);
    expect(problems).toEqual([]);
    expect(movedTagsRule(rules, { host, repository, tag }, 'warn')).toEqual(rule);
  });
});

test.each([
  ['team', 'expected a registry, found "team"'],
  ['ghcr.io/*', 'a scope needs no star (write "ghcr.io")'],
  ['ghcr.io/team/app:-1', '"-1"'],
])('a scope may not be %s', (text, message) => {
  const { rules, problems } = read({ [text]: 'keep' });
  expect(rules).toEqual([]);
  expect(problems).toMatchObject([
    { place: { file: 'image_set.json', line: 1 }, message: expect.stringContaining(message) },
  ]);
});

test('a scope may stand there once only, under whatever name', () => {
  const twice = { 'registry.k8s.io/pause:3.10': 'keep', 'k8s.gcr.io/pause:3.10': 'copy' };
  expect(read(twice).problems).toMatchObject([
    { message: 'registry.k8s.io/pause:3.10 is already in the file under another name' },
  ]);
});
