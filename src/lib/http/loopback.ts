import { BlockList, isIP } from 'node:net';

/** Returns whether a host name or address (without port, IPv6 perhaps in brackets) means this machine. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    bare === 'localhost' ||
    bare.endsWith('.localhost') ||
    bare === '::1' ||
    /^127(?:\.\d{1,3}){3}$/.test(bare)
  );
}

// 0.0.0.0 and :: reach this machine too; at the others clouds keep the secrets of a machine.
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
 * Returns whether a host name or address (IPv6 perhaps in brackets) leads to this machine, or to where its cloud tells it
 * secrets. Names that a name server answers so are not recognised.
 */
export function isInward(hostname: string): boolean {
  const bare = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const version = isIP(bare);
  if (version === 0) return isLoopback(bare) || bare === 'metadata.google.internal';
  // An IPv4 address within an IPv6 one is looked up as what it is.
  return INWARD.check(bare, version === 4 ? 'ipv4' : 'ipv6');
}
