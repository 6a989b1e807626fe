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

/** The authorities of makers' hosts and of servers on loopback, which no process trusts unless a test says so. */
export const MAKERS_AUTHORITIES_FILE = path('makers-authorities.pem');
/** The certificate of dl.k8s.io, github.com and others, and of `mirror.test` and `elsewhere.test`. */
export const MAKERS = read({ key: path('makers-key.pem'), certificate: path('makers.pem') });

/** The authority of the stand-ins of registries that pages show, which no process trusts unless a test says so. */
export const PUBLIC_REGISTRIES_AUTHORITY_FILE = path('public-registries-authority.pem');
/** The certificate of registry.k8s.io, Docker Hub with its token service, quay.io, ghcr.io and destinations. */
export const PUBLIC_REGISTRIES = read({
  key: path('public-registries-key.pem'),
  certificate: path('public-registries.pem'),
});
