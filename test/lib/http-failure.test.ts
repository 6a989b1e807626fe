import { describe, expect, it } from 'vitest';
import { explainNetworkError } from '../../src/lib/http/http-failure.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`it failed with ${code}`), { code });
}

describe('what broke a connection', () => {
  it.each([
    ['ENOTFOUND', 'UNREACHABLE', false],
    ['EAI_AGAIN', 'UNREACHABLE', true],
    ['ECONNREFUSED', 'UNREACHABLE', true],
    ['ECONNRESET', 'UNREACHABLE', true],
    ['EPIPE', 'UNREACHABLE', true],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS_REFUSED', false],
    ['CERT_HAS_EXPIRED', 'TLS_REFUSED', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'TLS_REFUSED', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS_REFUSED', false],
    ['EPROTO', 'TLS_REFUSED', false],
  ])('%s is %s', (code, expected, transient) => {
    const failure = explainNetworkError(systemError(code), 'a.example');
    expect(failure).toMatchObject({ code: expected, about: 'a.example', transient });
  });

  it('stays as it is once it was explained', () => {
    const failure = explainNetworkError(systemError('EPIPE'), 'a.example');
    expect(explainNetworkError(failure, 'b.example')).toBe(failure);
  });
});
