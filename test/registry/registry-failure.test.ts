import { describe, expect, it } from 'vitest';
import { parseErrorBody, refusal } from '../../src/registry/registry-failure.ts';

describe('a complaint', () => {
  it.each([
    ['{"errors":[{"code":"DENIED","message":"no\\n  access"}]}', ['DENIED'], 'DENIED: no access'],
    ['{"errors":[{"message":"no"}]}', [], 'no'],
    ['{"errors":[]}', [], ''],
    ['{"details":"incorrect username or password"}', [], 'incorrect username or password'],
    ['[1]', [], ''],
    ['You have reached\nyour limit', [], 'You have reached your limit'],
    ['  <html>gone</html>', [], ''],
    ['', [], ''],
  ])('%j is understood', (body, codes, text) => {
    expect(parseErrorBody(body)).toEqual({ codes, text });
  });

  it('is cut to what a person reads', () => {
    expect(parseErrorBody('x'.repeat(10_000)).text).toHaveLength(300);
  });
});

describe('a refusal', () => {
  it.each([
    [400, 'REGISTRY_REFUSED', false],
    [401, 'UNAUTHORIZED', false],
    [403, 'DENIED', false],
    [404, 'NOT_FOUND', false],
    [405, 'REGISTRY_REFUSED', false],
    [408, 'REGISTRY_REFUSED', true],
    [413, 'REGISTRY_REFUSED', false],
    [429, 'RATE_LIMITED', true],
    [500, 'REGISTRY_BROKEN', true],
    [501, 'REGISTRY_BROKEN', false],
    [503, 'REGISTRY_BROKEN', true],
    [522, 'REGISTRY_BROKEN', true],
  ])('with %d is %s', (status, code, transient) => {
    const errorBody = { codes: [], text: 'told' };
    const failure = refusal({ about: 'a.example', action: 'push its manifest', status, errorBody });
    expect(failure).toMatchObject({ code, transient, status });
    expect(failure.message).toBe(`cannot push its manifest, the registry answered ${status}: told`);
  });

  it.each(['permission_denied: write_package', 'installation not allowed to Create organization package'])(
    'of GHCR that says "%s" tells which permission a workflow lacks',
    (message) => {
      const errorBody = parseErrorBody(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
      const failure = refusal({ about: 'ghcr.io', action: 'start an upload', status: 403, errorBody });
      expect(failure).toMatchObject({ code: 'DENIED', transient: false });
      expect(failure.hint).toContain('a workflow needs "permissions: packages: write"');
    },
  );

  it('tells when parts of a manifest are missing', () => {
    const errorBody = parseErrorBody('{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}');
    const failure = refusal({ about: 'a', action: 'push its manifest', status: 400, errorBody });
    expect(failure.code).toBe('CONTENT_UNKNOWN');
  });
});
