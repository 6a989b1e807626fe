import { describe, expect, it } from 'vitest';
import { parseMirrorEntry, UpstreamMirror } from '../../src/config/upstream-mirror.ts';

function mirrorOf(...texts: readonly string[]): UpstreamMirror {
  return new UpstreamMirror(texts.map((text) => parseMirrorEntry(text, 'a test')));
}

function mapped(mirror: UpstreamMirror, address: string): string {
  return mirror.map(new URL(address)).href;
}

const KUBELET = 'https://dl.k8s.io/release/v1.38.0/bin/linux/amd64/kubelet';
const RUNC = 'https://github.com/opencontainers/runc/releases/download/v1.5.2/runc.amd64';

describe('UpstreamMirror', () => {
  it('leaves each address where it has none', () => {
    expect(mapped(mirrorOf(), KUBELET)).toBe(KUBELET);
    expect(mirrorOf().isMapped(new URL(KUBELET))).toBe(false);
  });

  it.each([
    ['https://files.m.daocloud.io', KUBELET, `https://files.m.daocloud.io/${KUBELET.slice(8)}`],
    ['https://files.m.daocloud.io/', RUNC, `https://files.m.daocloud.io/${RUNC.slice(8)}`],
    ['https://mirror.test:8443/a/b//', KUBELET, `https://mirror.test:8443/a/b/${KUBELET.slice(8)}`],
    ['http://127.0.0.1:8080', KUBELET, `http://127.0.0.1:8080/${KUBELET.slice(8)}`],
    [
      'https://mirror.test',
      'https://get.helm.sh/helm.tgz?a=b',
      'https://mirror.test/get.helm.sh/helm.tgz?a=b',
    ],
    ['github.com=https://ghproxy.test/https://github.com', RUNC, `https://ghproxy.test/${RUNC}`],
    ['dl.k8s.io=https://mirror.test/dl.k8s.io', KUBELET, `https://mirror.test/${KUBELET.slice(8)}`],
    ['dl.k8s.io=https://mirror.test/k8s', KUBELET, `https://mirror.test/k8s${new URL(KUBELET).pathname}`],
    ['DL.K8S.IO = https://mirror.test', KUBELET, `https://mirror.test${new URL(KUBELET).pathname}`],
    ['https://mirror.test/x=y', KUBELET, `https://mirror.test/x=y/${KUBELET.slice(8)}`],
  ])('%s leads %s to %s', (text, asked, found) => {
    expect(mapped(mirrorOf(text), asked)).toBe(found);
    expect(mirrorOf(text).isMapped(new URL(asked))).toBe(true);
  });

  it.each([
    [[], KUBELET, true],
    [['github.com=https://mirror.test'], KUBELET, true],
    [['https://mirror.test'], KUBELET, false],
    [[], 'https://example.com/kubelet', false],
    [[], 'http://dl.k8s.io/kubelet', false],
  ] as const)('with %j a mirror could help at %s: %s', (texts, address, expected) => {
    expect(mirrorOf(...texts).mayBeMapped(new URL(address))).toBe(expected);
  });

  it('asks the address of a host of its own before the one of all', () => {
    const mirror = mirrorOf('https://all.test', 'github.com=https://one.test');
    expect(mapped(mirror, RUNC)).toBe(`https://one.test${new URL(RUNC).pathname}`);
    expect(mapped(mirror, KUBELET)).toBe(`https://all.test/${KUBELET.slice(8)}`);
  });

  it.each([
    'https://api.github.com/repos/x/y',
    'https://registry.k8s.io/v2/',
    'https://example.com/kubelet',
    'https://github.com.example.com/x',
    'https://github.com:8443/x',
    'http://github.com/x',
  ])('leaves %s, which is at no maker', (address) => {
    expect(mapped(mirrorOf('https://all.test'), address)).toBe(address);
  });

  it.each([
    ['mirror.test', 'the address of a mirror is not complete'],
    ['', 'the address of a mirror is not complete'],
    ['https://', 'the address of a mirror is not complete'],
    ['https://github.com=https://mirror.test', 'the host of a mirror contains "="'],
    [
      'https://mirror.test/files/dl.k8s.io/',
      'a mirror of all upstream hosts ends in dl.k8s.io, which keel-pkg appends itself',
    ],
    ['https://user:secret@mirror.test', 'the address of a mirror contains a user name or a password'],
    ['github.com=https://secret@mirror.test', 'the address of a mirror contains a user name or a password'],
    ['https://mirror.test?token=secret', 'the address of a mirror contains a query or a fragment'],
    ['https://mirror.test/#secret', 'the address of a mirror contains a query or a fragment'],
    ['http://mirror.test', 'the mirror mirror.test does not use HTTPS'],
    ['ftp://mirror.test', 'the mirror mirror.test does not use HTTPS'],
    ['file:///srv/mirror', 'a mirror does not use HTTPS'],
    ['github.org=https://mirror.test', 'the text before "=" is not an upstream host'],
    ['api.github.com=https://mirror.test', 'the text before "=" is not an upstream host'],
  ])('refuses %s, and shows none of a secret', (text, message) => {
    expect(() => parseMirrorEntry(text, '--upstream-mirror')).toThrow(
      expect.objectContaining({
        code: 'FLAG_MALFORMED',
        fault: 'usage',
        about: '--upstream-mirror',
        message,
      }),
    );
  });
});
