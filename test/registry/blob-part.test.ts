import { expect, it } from 'vitest';
import { requirePart } from '../../src/registry/blob-part.ts';

const asked = { start: 10, size: 100, about: 'a.example/app' };

it.each([
  [{ 'content-range': 'bytes 10-99/100' }],
  [{ 'content-range': 'bytes 10-99/*' }],
  [{}],
  // A store that calls an archive encoded.
  [{ 'content-range': 'bytes 10-99/100', 'content-encoding': 'gzip' }],
])('a part with the headers %j is the one that was asked for', (headers) => {
  expect(() => requirePart({ headers, status: 206 }, asked)).not.toThrow();
});

it.each([
  [{ 'content-range': 'bytes 0-99/100' }, { transient: true, status: undefined }],
  [
    { 'content-range': 'bytes 10-40/41', 'content-encoding': 'gzip' },
    { transient: false, status: 206 },
  ],
  [{ 'content-encoding': 'br' }, { transient: false, status: 206 }],
])('a part with the headers %j is not', (headers, told) => {
  const code = 'REGISTRY_BROKEN';
  expect(() => requirePart({ headers, status: 206 }, asked)).toThrow(
    expect.objectContaining({ code, ...told }),
  );
});
