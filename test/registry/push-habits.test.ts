import { describe, expect, it } from 'vitest';
import { habitsOf, smallerChunk } from '../../src/registry/blob/push-habits.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { TestClient } from '../support/test-client.ts';

const MEBIBYTE = 1024 * 1024;

describe('the habits of a registry', () => {
  it.each([
    ['ghcr.io', 4],
    ['registry.example.com', 16],
  ])('at %s begin with chunks of %d MiB', (host, mebibytes) => {
    using client = new TestClient(parseHost(host));
    expect(habitsOf(client.registry).chunk).toBe(mebibytes * MEBIBYTE);
  });

  it('are shared by all pushes to it', () => {
    using client = new TestClient(parseHost('registry.example.com'));
    habitsOf(client.registry).chunk = MEBIBYTE;
    expect(habitsOf(client.registry).chunk).toBe(MEBIBYTE);
  });
});

describe('a chunk that was too large', () => {
  it.each([
    [16, 8],
    [8, 4],
    [5.5, 4],
    [4, 2],
    [1.5, 1],
    [1, 1],
    [0.5, 1],
  ])('of %d MiB is followed by one of %d MiB', (refused, next) => {
    expect(smallerChunk(refused * MEBIBYTE)).toBe(next * MEBIBYTE);
  });
});
