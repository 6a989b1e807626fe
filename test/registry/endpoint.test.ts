import { describe, expect, it } from 'vitest';
import { endpointOf, followAddress, redactUrl } from '../../src/registry/endpoint.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

describe('the endpoint of a host', () => {
  it.each([
    ['registry.k8s.io', 'https://registry.k8s.io/'],
    ['docker.io', 'https://registry-1.docker.io/'],
    ['localhost', 'http://localhost/'],
    ['localhost:5000', 'http://localhost:5000/'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000/'],
    ['[::1]:5000', 'http://[::1]:5000/'],
    ['10.0.0.5:5000', 'https://10.0.0.5:5000/'],
    ['127.0.0.1.example.com', 'https://127.0.0.1.example.com/'],
    ['localhost.example.com', 'https://localhost.example.com/'],
    ['old.example:5000', 'http://old.example:5000/'],
    ['old.example', 'https://old.example/'],
  ])('%s is %s', (host, url) => {
    expect(endpointOf(parseHost(host), [parseHost('old.example:5000')]).href).toBe(url);
  });
});

describe('an address that a registry names', () => {
  const follow = (from: string, address: string, registry = from): string =>
    followAddress(new URL(from), address, new URL(registry)).href;

  it.each([
    ['https://a.example/v2/x', '/v2/y?z=1', 'https://a.example/v2/y?z=1'],
    ['https://a.example/v2/x/', 'y', 'https://a.example/v2/x/y'],
    ['https://a.example/', 'https://b.example/s?sig=a%2Fb', 'https://b.example/s?sig=a%2Fb'],
    ['http://a.example/', 'https://b.example/', 'https://b.example/'],
    ['http://127.0.0.1:5000/', 'http://127.0.0.1:5001/x', 'http://127.0.0.1:5001/x'],
    ['http://localhost:5000/', 'http://127.0.0.1:5001/x', 'http://127.0.0.1:5001/x'],
    ['https://a.example/', 'https://10.0.0.5/x', 'https://10.0.0.5/x'],
  ])('from %s, %s is followed', (from, address, expected) => {
    expect(follow(from, address)).toBe(expected);
  });

  it.each([
    ['https://a.example/', 'http://a.example/', 'plain HTTP'],
    ['https://a.example/', 'ftp://a.example/', 'not HTTP'],
    ['https://a.example/', 'file:///etc/passwd', 'not HTTP'],
    ['https://a.example/', 'https://127.0.0.1/', 'on the machine'],
    ['https://a.example/', 'https://localhost:8443/', 'on the machine'],
    ['http://a.example/', 'http://169.254.169.254/latest', 'on the machine'],
    ['http://a.example/', 'http://[::1]/', 'on the machine'],
    ['http://a.example/', 'http://[::ffff:127.0.0.1]/', 'on the machine'],
    ['http://a.example/', 'http://[::ffff:169.254.169.254]/', 'on the machine'],
    ['http://a.example/', 'http://0.0.0.0:5000/', 'on the machine'],
    ['http://a.example/', 'http://[::]:5000/', 'on the machine'],
    ['http://a.example/', 'http://localhost./', 'on the machine'],
    ['http://a.example/', 'http://100.100.100.200/latest', 'on the machine'],
    ['http://a.example/', 'http://[fd00:ec2::254]/latest', 'on the machine'],
    ['http://a.example/', 'http://metadata.google.internal/', 'on the machine'],
    ['http://a.example/', 'http://2130706433/', 'on the machine'],
    ['https://a.example/', 'https://[', 'no address'],
  ])('from %s, %s is refused', (from, address, message) => {
    expect(() => follow(from, address)).toThrow(
      expect.objectContaining({
        code: 'REDIRECT_REFUSED',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('may not lead inward behind a second hop either', () => {
    expect(() => follow('https://cdn.example/', 'https://127.0.0.1/', 'https://a.example/')).toThrow();
  });
});

describe('a URL for people', () => {
  it('shows neither credentials nor signatures', () => {
    const url = new URL('https://u:p@a.example/v2/x?n=5&X-Amz-Signature=abc&from=a%2Fb#frag');
    expect(redactUrl(url)).toBe('https://a.example/v2/x?n=5&X-Amz-Signature=…&from=a%2Fb');
  });
});
