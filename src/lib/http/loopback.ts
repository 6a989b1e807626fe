import { BlockList, isIP } from 'node:net';

/** Returns whether a host name or address (without port; IPv6 with or without brackets) is this machine. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    bare === 'localhost' ||
    bare.endsWith('.localhost') ||
    bare === '::1' ||
    /^127(?:\.\d{1,3}){3}$/.test(bare)
  );
}

// 0.0.0.0 and :: reach this machine too. The others are the metadata services of clouds, which hand out secrets.
const INWARD = new BlockList();
INWARD.addSubnet('127.0.0.0', 8, 'ipv4');
INWARD.addSubnet('0.0.0.0', 8, 'ipv4');
INWARD.addSubnet('169.254.0.0', 16, 'ipv4');
INWARD.addAddress('100.100.100.200', 'ipv4');
INWARD.addAddress('::1', 'ipv6');
INWARD.addAddress('::', 'ipv6');
INWARD.addSubnet('fe80::', 10, 'ipv6');
INWARD.addAddress('fd00:ec2::254', 'ipv6');

/**
 * Returns whether a host name or address (IPv6 with or without brackets) is this machine or the metadata service of its
 * cloud. Names that a name server resolves to such an address are not recognised.
 */
export function isInward(hostname: string): boolean {
  const bare = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const version = isIP(bare);
  if (version === 0) return isLoopback(bare) || bare === 'metadata.google.internal';
  // The list also recognises an IPv4 address within an IPv6 one.
  return INWARD.check(bare, version === 4 ? 'ipv4' : 'ipv6');
}
