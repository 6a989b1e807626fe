import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { allOrFailures, jointFailure } from '../../src/pack/fetch/joint-failure.ts';

const failure = (about: string): Failure => new Failure({ code: 'X', about, message: 'broke' });
const WORDS = { code: 'ALL_FAILED', about: 'images', message: '2 of 3 failed', noun: 'image', total: 3 };

describe('jointFailure', () => {
  it('is the only one as it is', () => {
    const only = failure('a');
    expect(jointFailure([only], WORDS)).toBe(only);
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
    expect(jointFailure(abouts.map(failure), { ...WORDS, ...changes })).toMatchObject({
      code: 'ALL_FAILED',
      message,
    });
  });

  it('keeps what went wrong as its causes', () => {
    const failures = [failure('a'), failure('b')];
    expect(jointFailure(failures, WORDS)).toMatchObject({
      cause: expect.objectContaining({ errors: failures }),
    });
  });
});

it('allOrFailures waits for all, and keeps the order of what succeeded', async () => {
  const late = Promise.withResolvers<string>();
  const error = failure('a');
  const joint = allOrFailures([late.promise, Promise.reject(error), Promise.resolve('two')]);
  late.resolve('one');
  expect(await joint).toEqual({ results: ['one', 'two'], failures: [error] });
});
