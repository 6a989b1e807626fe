import { expect, it } from 'vitest';
import { oddityOf } from '../../src/registry/ping-answer.ts';

it.each<[number, Record<string, string>]>([
  [200, { 'content-type': 'application/json', 'docker-distribution-api-version': 'registry/2.0' }],
  [200, { 'content-type': 'text/html', 'docker-distribution-api-version': 'registry/2.0' }],
  [200, { 'content-type': 'application/json; charset=utf-8' }],
  [200, {}],
  [200, { 'content-type': 'text/plain' }],
  [401, { 'content-type': 'text/html', 'www-authenticate': 'Basic realm="Nexus"' }],
  [401, {}],
  [403, { 'content-type': 'application/json' }],
  [404, { 'content-type': 'application/json' }],
])('%i with %j may come from a registry', (status, headers) => {
  expect(oddityOf({ status, headers })).toBeUndefined();
});

it.each<[number, Record<string, string>, string]>([
  [200, { 'content-type': 'text/html; charset=utf-8' }, 'GET /v2/ is answered 200 with text/html'],
  [404, { 'content-type': 'text/html' }, 'GET /v2/ is answered 404 with text/html'],
  [404, { 'content-type': 'text/plain' }, 'GET /v2/ is answered 404 with text/plain'],
  [404, {}, 'GET /v2/ is answered 404'],
  [403, { 'content-type': 'text/html' }, 'GET /v2/ is answered 403 with text/html'],
])('%i with %j does not look like a registry', (status, headers, oddity) => {
  expect(oddityOf({ status, headers })).toBe(oddity);
});
