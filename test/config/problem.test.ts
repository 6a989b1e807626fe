import { describe, expect, test } from 'vitest';
import { ConfigurationFailure, formatPlace, type Problem } from '../../src/config/problem.ts';

function problem(line: number, column: number, message: string): Problem {
  return { place: { file: 'image_set.json', line, column }, message };
}

test('a place is written as compilers do', () => {
  expect(formatPlace({ file: 'sets/a.json', line: 12, column: 3 })).toBe('sets/a.json:12:3');
});

describe('a configuration that cannot be used', () => {
  test('tells its one problem as its own, with the place', () => {
    expect(new ConfigurationFailure('image_set.json', [problem(3, 7, 'expected a value')])).toMatchObject({
      code: 'CONFIGURATION_MALFORMED',
      fault: 'usage',
      about: 'image_set.json:3:7',
      message: 'expected a value',
    });
  });

  test('tells the first hundred of very many', () => {
    const many = Array.from({ length: 5000 }, (_, at) => problem(at + 1, 1, 'p'));
    const failure = new ConfigurationFailure('image_set.json', many);
    expect(failure.problems).toHaveLength(100);
    expect(failure.message.split('\n')).toHaveLength(101);
    expect(failure.message).toMatch(/^at least 100 problems\n/);
  });

  test('tells several in the order of the file', () => {
    const failure = new ConfigurationFailure('image_set.json', [
      problem(12, 1, 'd'),
      problem(3, 9, 'c'),
      problem(3, 7, 'b'),
      problem(2, 40, 'a'),
    ]);
    expect(failure.problems.map(({ message }) => message)).toEqual(['a', 'b', 'c', 'd']);
    expect(failure.about).toBe('image_set.json');
    expect(failure.message.split('\n')).toEqual([
      '4 problems',
      '  image_set.json:2:40: a',
      '  image_set.json:3:7: b',
      '  image_set.json:3:9: c',
      '  image_set.json:12:1: d',
    ]);
  });
});
