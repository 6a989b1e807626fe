import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { closingLocation, receivedBytes } from '../../src/registry/upload.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('the address that ends an upload', () => {
  it.each([
    ['https://a.example/u/1', `?digest=sha256%3A${'a'.repeat(64)}`],
    // What a registry signed may not be written in another way.
    ['https://a.example/u/1?_state=a%2fb+c==&x', `&digest=sha256%3A${'a'.repeat(64)}`],
  ])('is %s and the digest', (location, added) => {
    const upload = { repository: parseRepository('app'), location: new URL(location), smallestChunk: 0 };
    expect(closingLocation(upload, DIGEST).href).toBe(`${location}${added}`);
  });
});

describe('the bytes that an upload holds', () => {
  it.each([
    ['0-9', 10],
    ['bytes=0-9', 10],
    [' 0-65535 ', 65_536],
    ['0-0', 0],
    ['5-9', 0],
    ['0--1', 0],
    ['', 0],
    [undefined, 0],
  ])('%j are %d', (range, count) => {
    expect(receivedBytes(range)).toBe(count);
  });
});
