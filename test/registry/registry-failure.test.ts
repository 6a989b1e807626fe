import { expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { HttpFailure } from '../../src/lib/http/http-failure.ts';
import {
  isNotFound,
  isRefusedQuestion,
  isUnauthorized,
  mayBeAbsent,
  mayBeDeniedToUs,
} from '../../src/registry/registry-failure.ts';

test.each([
  ['NOT_FOUND', true, true],
  ['DENIED', false, true],
  ['UNAUTHORIZED', false, false],
  ['REGISTRY_BROKEN', false, false],
])('%s says that something is not there: %s; that it may not be: %s', (code, isMissing, isPerhapsMissing) => {
  const failure = new Failure({ code, about: 'registry.example/app', message: 'no' });
  expect([isNotFound(failure), mayBeAbsent(failure)]).toEqual([isMissing, isPerhapsMissing]);
});

test.each<[string, Partial<ConstructorParameters<typeof HttpFailure>[0]>, boolean]>([
  ['a method that is not allowed', { code: 'REGISTRY_REFUSED', status: 405 }, true],
  ['what is not there', { code: 'NOT_FOUND', status: 404 }, true],
  ['a missing login', { code: 'UNAUTHORIZED', status: 401 }, true],
  ['too many requests', { code: 'RATE_LIMITED', status: 429, transient: true }, false],
  ['a pause that is too long to wait for', { code: 'RATE_LIMITED', status: 429 }, false],
  ['a fault that passes', { code: 'REGISTRY_BROKEN', status: 503, transient: true }, false],
  ['an answer that makes no sense', { code: 'REGISTRY_BROKEN' }, false],
  ['no answer', { code: 'UNREACHABLE' }, false],
])('%s is a refused question: %s', (_, details, isRefused) => {
  const failure = new HttpFailure({
    about: 'registry.example',
    message: 'no',
    code: 'UNREACHABLE',
    ...details,
  });
  expect(isRefusedQuestion(failure)).toBe(isRefused);
});

test.each([
  ['UNAUTHORIZED', true, true],
  ['DENIED', false, true],
  ['NOT_FOUND', false, false],
])('%s is about a login: %s; about who asks: %s', (code, isLogin, isAboutUs) => {
  const failure = new Failure({ code, about: 'registry.example', message: 'no' });
  expect([isUnauthorized(failure), mayBeDeniedToUs(failure)]).toEqual([isLogin, isAboutUs]);
});

test('what is no failure says nothing', () => {
  expect([isNotFound('NOT_FOUND'), mayBeAbsent(undefined)]).toEqual([false, false]);
});
