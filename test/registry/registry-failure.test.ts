import { expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { isNotFound, mayBeAbsent } from '../../src/registry/registry-failure.ts';

test.each([
  ['NOT_FOUND', true, true],
  ['DENIED', false, true],
  ['UNAUTHORIZED', false, false],
  ['REGISTRY_BROKEN', false, false],
])('%s says that something is not there: %s; that it may not be: %s', (code, isMissing, isPerhapsMissing) => {
  const failure = new Failure({ code, about: 'registry.example/app', message: 'no' });
  expect([isNotFound(failure), mayBeAbsent(failure)]).toEqual([isMissing, isPerhapsMissing]);
});

test('what is no failure says nothing', () => {
  expect([isNotFound('NOT_FOUND'), mayBeAbsent(undefined)]).toEqual([false, false]);
});
