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

/** Reads a certificate from its files. */
function read({ key, certificate }: typeof LOOPBACK_FILES): Certificate {
  return { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
}

/** Returns a certificate of `test/fixtures/tls/chain` as PEM. */
export function chainCertificate(name: string): string {
  return readFileSync(path(`chain/${name}.pem`), 'utf8');
}

/** The certificate of a server on loopback. */
export const LOOPBACK = read(LOOPBACK_FILES);

/** An authority that no process trusts unless a test says so, and its certificate for hosts whose names end in .test. */
export const HOSTS_AUTHORITY_FILE = path('hosts-authority.pem');
export const HOSTS_AUTHORITY = readFileSync(HOSTS_AUTHORITY_FILE, 'utf8');
export const HOSTS = read({ key: path('hosts-key.pem'), certificate: path('hosts.pem') });
