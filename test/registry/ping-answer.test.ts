import { expect, it } from 'vitest';
import { verdictOf } from '../../src/registry/ping-answer.ts';

const ERRORS = '{"errors": [{"code": "NOT_FOUND", "message": "no such page"}]}';

it.each<[number, Record<string, string>, string]>([
  [200, { 'content-type': 'application/json', 'docker-distribution-api-version': 'registry/2.0' }, ''],
  [200, { 'content-type': 'text/html', 'docker-distribution-api-version': 'registry/2.0' }, ''],
  [404, { 'content-type': 'text/html', 'docker-distribution-api-version': 'registry/2.0' }, '<html>'],
  [200, { 'content-type': 'application/json; charset=utf-8' }, ''],
  [401, { 'content-type': 'text/html', 'www-authenticate': 'Basic realm="Nexus"' }, ''],
  [403, { 'content-type': 'application/json' }, ''],
  [404, { 'content-type': 'application/json' }, ERRORS],
])('%i with %j and "%s" comes from a registry', (status, headers, body) => {
  expect(verdictOf({ status, headers }, body)).toEqual({ kind: 'registry' });
});

it.each<[number, Record<string, string>]>([
  [200, {}],
  [200, { 'content-type': 'text/plain' }],
  [401, {}],
  [404, { 'content-type': 'text/plain' }],
])('%i with %j may come from a registry', (status, headers) => {
  expect(verdictOf({ status, headers }, ERRORS)).toEqual({ kind: 'open' });
});

it.each<[number, Record<string, string>, string]>([
  [200, { 'content-type': 'text/html; charset=utf-8' }, 'GET /v2/ is answered 200 with text/html'],
  [404, { 'content-type': 'text/html' }, 'GET /v2/ is answered 404 with text/html'],
  [404, { 'content-type': 'text/plain' }, 'GET /v2/ is answered 404 with text/plain'],
  [404, { 'content-type': 'application/json' }, 'GET /v2/ is answered 404 with application/json'],
  [404, {}, 'GET /v2/ is answered 404'],
  [403, { 'content-type': 'text/html' }, 'GET /v2/ is answered 403 with text/html'],
])('%i with %j does not look like a registry', (status, headers, oddity) => {
  expect(verdictOf({ status, headers }, '{"message": "no such page"}')).toEqual({ kind: 'odd', oddity });
});
