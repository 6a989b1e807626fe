import { expect, test } from 'vitest';
import { checkLines } from '../../src/cli/text/check-text.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseReference, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import type { CheckedReference, CheckedTag } from '../../src/sync/check/image-check.ts';
import { judge } from '../../src/sync/check/mirror-verdict.ts';
import { seenImage } from '../support/state-sample.ts';

const here = digestOf(Buffer.from('here'));
const there = digestOf(Buffer.from('there'));
const time = new Date(Date.UTC(2026, 10, 23, 4, 57));

function tagOf(name: string): CheckedTag {
  const facts = {
    source: { kind: 'there', digest: here, mediaType: MEDIA_TYPE.ociIndex, uploaded: time },
    destination: { kind: 'there', digest: there, mediaType: MEDIA_TYPE.ociIndex },
    expected: here,
    recorded: {
      ...seenImage('pause', name),
      sourceDigest: here,
      pushedDigest: there,
      options: '',
      pushed: time,
      confirmed: time,
    },
  } as const;
  return { tag: parseTag(name), isWanted: true, ...facts, ...judge(facts) };
}

function checkedAs(image: string, tags: readonly CheckedTag[]): CheckedReference {
  const destination = parseReference('registry.cn-hangzhou.aliyuncs.com/keel/pause');
  const location = {
    name: 'pause',
    destination: parseRepository('keel/pause'),
    wantedBy: undefined,
    patchedBy: undefined,
  };
  const imageSet = 'image_set.json';
  return { image: parseReference(image), location, destination, imageSet, requiresSignatures: false, tags };
}

test('on a narrow terminal digests are short, and what is still too long goes on below', () => {
  const one = checkedAs('registry.k8s.io/pause:3.10', [tagOf('3.10')]);
  expect(checkLines(one).join('\n')).toContain(here);
  const lines = checkLines(one, 80).flatMap((line) => line.split('\n'));
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.join('\n')).toContain(`source       ${here.slice(0, 19)}…`);
  expect(lines.slice(-2)).toEqual([
    'differs: the destination has another image: it was mirrored with other settings',
    '  (give the same --platform)',
  ]);
});

test('the names of an image are no row of the table, whatever letters they begin with', () => {
  const one = checkedAs('registrymirrors.example/pause:3.10', [tagOf('3.10')]);
  expect(checkLines(one, 80)[0]).toBe(
    'registrymirrors.example/pause:3.10 →\n  registry.cn-hangzhou.aliyuncs.com/keel/pause:3.10',
  );
});

test('what is the same of all tags is told once', () => {
  const all = checkedAs('registry.k8s.io/pause', ['3.10', '3.9'].map(tagOf));
  expect(checkLines(all).slice(-3)).toEqual([
    'differs: the destination has another image: it was mirrored with other settings (give the same --platform)',
    '',
    'not mirrored: all 2 tags differ',
  ]);
  const lines = checkLines(all, 80).flatMap((line) => line.split('\n'));
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test('of all tags no more is promised than was compared, which are their digests', () => {
  const ended = (count: number, expected = here) => {
    const tag = {
      ...tagOf('3.10'),
      expected,
      ...judge({ ...tagOf('3.10'), destination: { kind: 'there', digest: expected }, expected }),
    };
    return checkLines(checkedAs('registry.k8s.io/pause', Array(count).fill(tag))).at(-1);
  };
  const further = 'to check the parts of a tag, run synctl check IMAGE:TAG';
  expect(ended(1)).toBe(`mirrored: its one tag has the digest of the source; ${further}`);
  expect(ended(4)).toBe(`mirrored: its 4 tags have the digests of the source; ${further}`);
  // Of chosen platforms, the destination has another digest.
  expect(ended(4, there)).toBe(`mirrored: its 4 tags have the expected digests; ${further}`);
});

test('tags that wait until they are old enough are not called mirrored', () => {
  const young = { ...tagOf('3.11'), destination: { kind: 'absent' } as const, recorded: undefined };
  const waiting = { ...young, ...judge({ ...young, isYoung: true }) };
  const right = { ...tagOf('3.10'), destination: { kind: 'there', digest: here } as const };
  const mirrored = { ...right, ...judge(right) };
  const ended = (...tags: CheckedTag[]) => checkLines(checkedAs('registry.k8s.io/pause', tags)).at(-1);
  expect(ended(waiting)).toBe('waiting: its one tag waits until it is old enough');
  expect(ended(waiting, mirrored)).toBe(
    'waiting: of 2 tags 1 waits until it is old enough and 1 is mirrored',
  );
  expect(ended(waiting, tagOf('3.9'))).toMatch(/^not mirrored: of 2 tags /);
});
