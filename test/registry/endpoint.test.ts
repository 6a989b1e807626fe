import { describe, expect, it } from 'vitest';
import { endpointOf, redactUrl } from '../../src/registry/endpoint.ts';
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

describe('a URL for people', () => {
  it('shows neither credentials nor signatures', () => {
    const url = new URL('https://u:p@a.example/v2/x?n=5&X-Amz-Signature=abc&from=a%2Fb#frag');
    expect(redactUrl(url)).toBe('https://a.example/v2/x?n=5&X-Amz-Signature=…&from=a%2Fb');
  });
});
