import { BlockList, isIP } from 'node:net';
import { withoutTrailing } from '../text/trailing.ts';
import { isLoopback } from './loopback.ts';

/** Where an inward address leads: to this machine, or to an internal service of the cloud that this machine is in. */
type InwardPlace = 'machine' | 'cloud';

/** Names that distributions give to this machine in /etc/hosts. */
const MACHINE_NAMES = /^(?:localhost[46]?(?:\.localdomain[46]?)?|ip6-(?:localhost|loopback))$/;

/** The names of metadata services in the name servers of clouds. */
const CLOUD_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.goog',
  'metadata.azure.com',
  'metadata.tencentyun.com',
  'metadata.packet.net',
  'metadata.platformequinix.com',
  'metadata.oraclecloud.com',
  'metadata.exoscale.com',
  'api.metadata.cloud.ibm.com',
  'rancher-metadata',
  'instance-data',
]);
const CLOUD_NAME = /^(?:metadata|instance-data)\.(?:.+\.)?internal$/;

const MACHINE = new BlockList();
// 0.0.0.0 and :: reach this machine too.
MACHINE.addSubnet('0.0.0.0', 8, 'ipv4');
MACHINE.addSubnet('127.0.0.0', 8, 'ipv4');
MACHINE.addAddress('::', 'ipv6');
MACHINE.addAddress('::1', 'ipv6');

// Services that issue secrets to the machines in a cloud.
const CLOUD = new BlockList();
// AWS, Google, Azure, Huawei, Tencent, OpenStack and most others.
CLOUD.addSubnet('169.254.0.0', 16, 'ipv4');
CLOUD.addSubnet('fe80::', 10, 'ipv6');
CLOUD.addAddress('168.63.129.16', 'ipv4'); // Azure
CLOUD.addAddress('100.100.100.200', 'ipv4'); // Alibaba
CLOUD.addAddress('fd00:100::100:200', 'ipv6');
CLOUD.addAddress('100.96.0.96', 'ipv4'); // Volcengine
CLOUD.addAddress('100.80.80.80', 'ipv4'); // UCloud
CLOUD.addSubnet('192.0.0.0', 24, 'ipv4'); // Oracle's 192.0.0.192
CLOUD.addAddress('fd00:c1::a9fe:a9fe', 'ipv6');
CLOUD.addSubnet('fd00:ec2::', 32, 'ipv6'); // AWS
CLOUD.addAddress('fd20:ce::254', 'ipv6'); // Google
CLOUD.addAddress('fd00:a9fe:a9fe::1', 'ipv6'); // Akamai
CLOUD.addAddress('fd00:42::42', 'ipv6'); // Scaleway

/**
 * Returns where a host name or address (IPv6 with or without brackets) leads, if that is inward; undefined for all
 * others. An IPv4 address within an IPv6 one is recognised. No name server is asked.
 */
export function inwardPlace(hostname: string): InwardPlace | undefined {
  const bare = withoutTrailing(hostname.replace(/^\[|\]$/g, '').replace(/%.*$/, ''), '.').toLowerCase();
  const version = isIP(bare);
  if (version === 4) return placeOf(bare, 'ipv4');
  if (version === 6) {
    const within = embeddedAddresses(groupsOf(bare)).map((address) => placeOf(address, 'ipv4'));
    return placeOf(bare, 'ipv6') ?? within.find((place) => place !== undefined);
  }
  if (isLoopback(bare) || MACHINE_NAMES.test(bare)) return 'machine';
  return CLOUD_NAMES.has(bare) || CLOUD_NAME.test(bare) ? 'cloud' : undefined;
}

function placeOf(address: string, family: 'ipv4' | 'ipv6'): InwardPlace | undefined {
  if (MACHINE.check(address, family)) return 'machine';
  return CLOUD.check(address, family) ? 'cloud' : undefined;
}

/** Returns the eight numbers of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const numbers = (text = ''): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [numbers(head), numbers(tail)];
  const omitted = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: omitted }, () => 0), ...after];
}

/** Returns the IPv4 addresses to which gateways and systems route an IPv6 one: NAT64, 6to4, Teredo, ISATAP, mapped. */
function embeddedAddresses(groups: readonly number[]): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const isZeroTo = (count: number): boolean => groups.slice(0, count).every((group) => group === 0);
  const last = dotted(g, h);
  const found: string[] = [];
  // ::a.b.c.d, ::ffff:a.b.c.d and ::ffff:0:a.b.c.d. :: and ::1 are not IPv4 addresses.
  const isMapped = (isZeroTo(5) && f === 0xffff) || (isZeroTo(4) && e === 0xffff && f === 0);
  if (isMapped || (isZeroTo(6) && g !== 0)) found.push(last);
  if (a === 0x64 && b === 0xff9b && (c === 0 || g >> 8 !== 0)) found.push(last);
  if (a === 0x64 && b === 0xff9b && c === 1) {
    // RFC 6052 also puts it behind a prefix of 48, 56 or 64 bits, leaves out bits 64 to 71, and fills up with zeros.
    const bytes = [d >> 8, d & 0xff, e & 0xff, f >> 8, f & 0xff, g >> 8];
    for (const start of [0, 1, 2].filter((at) => bytes[at] !== 0)) {
      found.push(bytes.slice(start, start + 4).join('.'));
    }
  }
  if (a === 0x2002) found.push(dotted(b, c));
  if (a === 0x2001 && b === 0) found.push(dotted(c, d), dotted(~g & 0xffff, ~h & 0xffff));
  if ((e & 0xfdff) === 0 && f === 0x5efe) found.push(last);
  return found;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
