import { expect, it } from 'vitest';
import { isExempt } from '../../src/lib/http/no-proxy.ts';

it.each<[list: string, url: string, isExempt: boolean]>([
  ['', 'https://quay.io/', false],
  ['*', 'https://quay.io/', true],
  ['other.example, *', 'https://10.0.0.1/', true],
  // Names, with all names below them.
  ['quay.io', 'https://quay.io/', true],
  ['quay.io', 'https://cdn.quay.io/', true],
  ['quay.io', 'https://notquay.io/', false],
  ['.quay.io', 'https://cdn.quay.io/', true],
  ['.quay.io', 'https://quay.io/', true],
  ['QUAY.io', 'https://Quay.IO/', true],
  ['quay.io.', 'https://quay.io/', true],
  ['quay.io', 'https://quay.io./', true],
  ['.', 'https://quay.io/', false],
  // Separated by commas and spaces.
  [' a.example ,quay.io ', 'https://quay.io/', true],
  ['a.example quay.io', 'https://quay.io/', true],
  [',,', 'https://quay.io/', false],
  // Ports.
  ['quay.io:443', 'https://quay.io/', true],
  ['quay.io:443', 'http://quay.io/', false],
  ['quay.io:5000', 'https://quay.io:5000/', true],
  ['quay.io:5000', 'https://quay.io/', false],
  ['10.0.0.1:5000', 'http://10.0.0.1:5000/', true],
  ['10.0.0.1:5000', 'http://10.0.0.1/', false],
  ['[fd00::1]:5000', 'http://[fd00::1]:5000/', true],
  ['[fd00::1]:5000', 'http://[fd00::1]/', false],
  // Addresses and networks.
  ['10.0.0.1', 'https://10.0.0.1/', true],
  ['10.0.0.1', 'https://10.0.0.11/', false],
  ['0.0.1', 'https://10.0.0.1/', false],
  ['10.0.0.0/8', 'https://10.20.30.40:5000/', true],
  ['10.0.0.0/8', 'https://11.0.0.1/', false],
  ['10.0.0.0/8', 'https://ten.example/', false],
  ['192.168.1.128/25', 'https://192.168.1.127/', false],
  ['0.0.0.0/0', 'https://8.8.8.8/', true],
  ['10.0.0.0/33', 'https://10.0.0.1/', false],
  ['10.0.0.0/', 'https://10.0.0.0/', false],
  ['quay.io/8', 'https://quay.io/', false],
  ['fd00::/8', 'https://[fd12:3456::1]/', true],
  ['fd00::/8', 'https://[fe80::1]/', false],
  ['fd00:0:0:0::1', 'https://[fd00::1]/', true],
  ['[fd00::1]', 'https://[fd00::1]/', true],
  // An IPv4 address within an IPv6 one.
  ['10.0.0.1', 'https://[::ffff:10.0.0.1]/', true],
  ['::ffff:10.0.0.1', 'https://10.0.0.1/', true],
  ['10.0.0.0/8', 'https://[::ffff:10.1.2.3]/', true],
  // Patterns.
  ['*.quay.io', 'https://cdn.quay.io/', true],
  ['*.quay.io', 'https://quay.io/', false],
  ['*quay.io', 'https://myquay.io/', true],
  ['10.*', 'https://10.1.2.3/', true],
  ['10.*', 'https://110.1.2.3/', false],
  ['a*b*c', 'https://a1b2c/', true],
  ['a*b*c', 'https://acb/', false],
  ['*.quay.io:5000', 'https://cdn.quay.io/', false],
])('%j has the host of %s: %s', (list, url, expected) => {
  expect(isExempt(new URL(url), list)).toBe(expected);
});
