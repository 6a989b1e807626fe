import { describe, expect, test } from 'vitest';
import { isInward, isLoopback } from '../../src/lib/http/loopback.ts';

describe('this machine', () => {
  test.each(['localhost', 'LOCALHOST', 'registry.localhost', '127.0.0.1', '127.255.0.9', '::1', '[::1]'])(
    'is %s',
    (hostname) => {
      expect([isLoopback(hostname), isInward(hostname)]).toEqual([true, true]);
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
    expect([isLoopback(hostname), isInward(hostname)]).toEqual([false, false]);
  });
});

describe('what leads inward beside it', () => {
  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '100.100.100.200',
    '::',
    '[::]',
    'fe80::1',
    'febf::1',
    'fd00:ec2::254',
    '[FD00:EC2::254]',
    '::ffff:127.0.0.1',
    '[::ffff:169.254.169.254]',
    'metadata.google.internal',
    'Metadata.Google.Internal.',
    'localhost.',
    '127.0.0.1.',
  ])('%s', (hostname) => {
    expect(isInward(hostname)).toBe(true);
  });

  test.each([
    '169.255.0.1',
    '100.100.100.201',
    '1.0.0.0',
    'fec0::1',
    'fd00:ec2::253',
    '::ffff:8.8.8.8',
    'google.internal',
  ])('not %s', (hostname) => {
    expect(isInward(hostname)).toBe(false);
  });
});
