import { describe, expect, test } from 'vitest';
import { isLoopback } from '../../src/lib/http/loopback.ts';

describe('this machine', () => {
  test.each(['localhost', 'LOCALHOST', 'registry.localhost', '127.0.0.1', '127.255.0.9', '::1', '[::1]'])(
    'is %s',
    (hostname) => {
      expect(isLoopback(hostname)).toBe(true);
    },
  );

  test.each([
    'localhost.example',
    'notlocalhost',
    '127.0.0.1.example',
    '127.0.0',
    '10.0.0.1',
    '::2',
    'example',
  ])('is not %s', (hostname) => {
    expect(isLoopback(hostname)).toBe(false);
  });
});
