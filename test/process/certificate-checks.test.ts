import { expect, test } from 'vitest';
import { keepCertificateChecks } from '../../src/process/certificate-checks.ts';

test('NODE_TLS_REJECT_UNAUTHORIZED=0 is taken away, and told', () => {
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: '0', HOME: '/root' };
  expect(keepCertificateChecks(environment)).toMatch(/^NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/);
  expect(environment).toEqual({ HOME: '/root' });
});

test.each([{}, { NODE_TLS_REJECT_UNAUTHORIZED: '' }, { NODE_TLS_REJECT_UNAUTHORIZED: '1' }])(
  '%j has Node check certificates anyway',
  (environment) => {
    expect(keepCertificateChecks({ ...environment })).toBeUndefined();
  },
);
