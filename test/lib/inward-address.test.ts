import { describe, expect, it } from 'vitest';
import { inwardPlace } from '../../src/lib/http/inward-address.ts';
import { followAddress } from '../../src/lib/http/redirect.ts';

/** Returns the place of the host of an address, as a `URL` writes it. */
function placeIn(address: string): string {
  return inwardPlace(new URL(address).hostname) ?? 'elsewhere';
}

describe('this machine', () => {
  it.each([
    'localhost',
    'localhost.',
    'Registry.Localhost',
    'localhost.localdomain',
    'localhost6.localdomain6',
    'ip6-loopback',
    '127.0.0.1',
    '127.0.0.1.',
    '127.255.0.9',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '[::]',
    '::1',
    '[0:0:0:0:0:0:0:1]',
    '::1%lo',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
  ])('is %s', (hostname) => expect(inwardPlace(hostname)).toBe('machine'));
});

describe('an inner service of a cloud', () => {
  it.each([
    ['AWS', '169.254.169.254'],
    ['AWS, for containers', '169.254.170.2'],
    ['AWS, IPv6', '[FD00:EC2::254]'],
    ['AWS, for pods', 'fd00:ec2::23'],
    ['AWS, by name', 'instance-data.ec2.internal'],
    ['AWS, by short name', 'instance-data'],
    ['Google, IPv6', 'fd20:ce::254'],
    ['Google, by name', 'Metadata.Google.Internal.'],
    ['Google, by another name', 'metadata.goog'],
    ['Google, by short name', 'metadata'],
    ['Azure', '168.63.129.16'],
    ['Azure, by name', 'metadata.azure.internal'],
    ['Alibaba', '100.100.100.200'],
    ['Tencent', '169.254.0.23'],
    ['Tencent, by name', 'metadata.tencentyun.com'],
    ['Oracle, classic', '192.0.0.192'],
    ['Oracle, IPv6', 'fd00:c1::a9fe:a9fe'],
    ['Volcengine', '100.96.0.96'],
    ['UCloud', '100.80.80.80'],
    ['IBM, by name', 'api.metadata.cloud.ibm.com'],
    ['Equinix, by name', 'metadata.packet.net'],
    ['Akamai, IPv6', 'fd00:a9fe:a9fe::1'],
    ['Scaleway, IPv6', 'fd00:42::42'],
    ['of the link, IPv6', 'febf::1'],
    ['of the link, with a zone', 'fe80::a9fe:a9fe%eth0'],
  ])('%s: %s', (_cloud, hostname) => expect(inwardPlace(hostname)).toBe('cloud'));
});

describe('each spelling of an inward address', () => {
  it.each([
    ['decimal', 'http://2852039166/'],
    ['hexadecimal', 'http://0xA9FEA9FE/'],
    ['octal', 'http://0251.0376.0251.0376/'],
    ['mixed', 'http://169.0xfe.43518/'],
    ['with a trailing dot', 'http://169.254.169.254./'],
    ['percent-encoded', 'http://%31%36%39.254.169.254/'],
    ['full-width digits', 'http://１６９.２５４.１６９.２５４/'],
    ['ideographic full stops', 'http://169。254。169。254/'],
    ['circled digits', 'http://①⑥⑨.254.169.254/'],
    ['after a name', 'http://a.example@169.254.169.254/'],
    ['mapped', 'http://[::ffff:169.254.169.254]/'],
    ['mapped, hexadecimal', 'http://[0:0:0:0:0:ffff:a9fe:a9fe]/'],
    ['compatible', 'http://[::169.254.169.254]/'],
    ['translated', 'http://[::ffff:0:169.254.169.254]/'],
    ['NAT64', 'http://[64:ff9b::169.254.169.254]/'],
    ['NAT64 of a network, behind 96 bits', 'http://[64:ff9b:1::a9fe:a9fe]/'],
    ['NAT64 of a network, behind 64 bits', 'http://[64:ff9b:1:0:a9:fea9:fe00:0]/'],
    ['NAT64 of a network, behind 56 bits', 'http://[64:ff9b:1:a9:fe:a9fe::]/'],
    ['NAT64 of a network, behind 48 bits', 'http://[64:ff9b:1:a9fe:a9:fe00::]/'],
    ['6to4', 'http://[2002:a9fe:a9fe::1]/'],
    ['Teredo, the client', 'http://[2001:0:102:304::5601:5601]/'],
    ['Teredo, the server', 'http://[2001:0:a9fe:a9fe::1]/'],
    ['ISATAP', 'http://[2001:db8::5efe:169.254.169.254]/'],
    ['ISATAP of a public address', 'http://[2001:db8::200:5efe:a9fe:a9fe]/'],
    ['a name with full-width letters', 'http://ｍetadata.google.internal/'],
    ['a name, percent-encoded', 'http://metadata%2Egoogle%2Einternal/'],
  ])('%s: %s', (_spelling, address) => {
    expect(placeIn(address)).toBe('cloud');
    const asked = new URL('http://registry.example/v2/');
    expect(() => followAddress(asked, address, asked)).toThrow('an internal service of a cloud');
  });

  it.each(['http://[fe80::1%25eth0]/', 'http://[fe80::1%eth0]/', 'http://169.254.169.254:99999/'])(
    '%s is no address at all',
    (address) => {
      const asked = new URL('http://registry.example/v2/');
      expect(() => followAddress(asked, address, asked)).toThrow('not an address');
    },
  );

  it.each(['http://2130706433/', 'http://0x7f.1/', 'http://127.1/', 'http://0/', 'http://[2002:7f00:1::]/'])(
    'of this machine: %s',
    (address) => expect(placeIn(address)).toBe('machine'),
  );
});

it.each([
  '10.0.0.1',
  '169.255.0.1',
  '168.63.129.17',
  '100.100.100.201',
  '192.0.1.192',
  '1.0.0.0',
  '127.0.0.1.example',
  'localhost.example',
  'notlocalhost',
  'google.internal',
  'registry.google.internal',
  'metadata.example.com',
  'instance-data.example',
  '::2',
  'fec0::1',
  'fd20:ce::253',
  'fd00:ec3::254',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::8.8.8.8',
  '2002:808:808::1',
  '2001:0:102:304::f7f7:f7f7',
  '2001:db8::a9fe:a9fe',
  'example',
])('%s does not lead inward', (hostname) => {
  expect(inwardPlace(hostname)).toBeUndefined();
});
