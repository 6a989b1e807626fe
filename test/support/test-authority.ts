import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A key and certificate, as PEM. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** From the root of the repository: what is compiled into `build` finds them too. */
function path(name: string): string {
  return resolve('test/fixtures/tls', name);
}

/**
 * The authority of the servers that tests start. This process trusts it (`vitest.config.ts`); a process that a test starts
 * is told by `NODE_EXTRA_CA_CERTS` or `--ca-file`, programs in Go by `SSL_CERT_FILE`.
 */
export const AUTHORITY_FILE = path('authority.pem');
/** The certificate of a server on loopback, as files. */
export const LOOPBACK_FILES = { key: path('server-key.pem'), certificate: path('server.pem') } as const;
/** The certificate of a server on loopback. */
export const LOOPBACK: Certificate = {
  key: readFileSync(LOOPBACK_FILES.key, 'utf8'),
  certificate: readFileSync(LOOPBACK_FILES.certificate, 'utf8'),
};
