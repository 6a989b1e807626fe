import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { allOrFailures, jointFailure } from '../../src/pack/fetch/joint-failure.ts';

const failure = (about: string): Failure => new Failure({ code: 'X', about, message: 'broke' });
const WORDS = { code: 'ALL_FAILED', about: 'images', message: '2 of 3 failed', noun: 'image', total: 3 };

describe('jointFailure', () => {
  it('is the only one as it is', () => {
    const only = failure('a');
    expect(jointFailure([{ error: only }], WORDS)).toBe(only);
  });

  it.each<[string, string[], object, string]>([
    ['has a line for each', ['a', 'b'], {}, '2 of 3 failed\n  a: broke\n  b: broke'],
    [
      'has one line for a cause, with its number',
      ['a', 'b', 'a'],
      { total: 4 },
      '2 of 3 failed\n  2 images: a: broke\n  b: broke',
    ],
    ['says that it is all of them', ['a', 'a', 'a'], {}, '2 of 3 failed\n  all 3 images: a: broke'],
    [
      'calls them failures without another word',
      ['a', 'a'],
      { noun: undefined },
      '2 of 3 failed\n  2 failures: a: broke',
    ],
  ])('%s', (_, abouts, changes, message) => {
    const parts = abouts.map((about) => ({ error: failure(about) }));
    expect(jointFailure(parts, { ...WORDS, ...changes })).toMatchObject({
      code: 'ALL_FAILED',
      message,
    });
  });

  it('keeps what went wrong as its causes', () => {
    const failures = [failure('a'), failure('b')];
    const parts = failures.map((error) => ({ error }));
    expect(jointFailure(parts, WORDS)).toMatchObject({
      cause: expect.objectContaining({ errors: failures }),
    });
  });

  it('names the part of each failure, unless it says so itself', () => {
    const host = failure('e.org');
    expect(jointFailure([{ name: 'runc 1.4.3', error: host }], WORDS)).toMatchObject({
      code: 'X',
      about: 'runc 1.4.3',
      message: 'e.org: broke',
    });
    const own = failure('runc 1.4.3');
    expect(jointFailure([{ name: 'runc 1.4.3', error: own }], WORDS)).toBe(own);
    const parts = [
      { name: 'kubeadm 1.37.1', error: failure('dl.k8s.io') },
      { name: 'runc 1.4.3', error: failure('github.com') },
      { name: 'kubelet 1.37.1', error: failure('dl.k8s.io') },
    ];
    expect(jointFailure(parts, { ...WORDS, noun: 'component', total: 7 })).toMatchObject({
      message: [
        '2 of 3 failed',
        '  2 components, kubeadm 1.37.1 and kubelet 1.37.1: dl.k8s.io: broke',
        '  runc 1.4.3: github.com: broke',
      ].join('\n'),
      cause: { errors: [{ about: 'kubeadm 1.37.1' }, { about: 'runc 1.4.3' }, { about: 'kubelet 1.37.1' }] },
    });
  });

  it('names the first of many parts', () => {
    const parts = Array.from({ length: 10 }, (_, index) => ({ name: `p${index}`, error: failure('e.org') }));
    expect(jointFailure(parts, { ...WORDS, total: 11 })).toMatchObject({
      message: expect.stringContaining(
        '\n  10 images, p0, p1, p2, p3, p4, p5, p6, p7 and 2 more: e.org: broke',
      ),
    });
  });
});

it('allOrFailures waits for all, and keeps the order of what succeeded', async () => {
  const late = Promise.withResolvers<string>();
  const error = failure('a');
  const joint = allOrFailures([late.promise, Promise.reject(error), Promise.resolve('two')]);
  late.resolve('one');
  expect(await joint).toEqual({ results: ['one', 'two'], failures: [error], positions: [1] });
});
