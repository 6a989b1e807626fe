import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Host } from '../src/registry/oci/reference.ts';
import { DockerRegistry } from '../test/support/docker-registry.ts';
import { AUTHORITY_FILE } from '../test/support/test-authority.ts';
import { LOGIN } from '../test/support/token-server.ts';

/** How the registries of a case are reached: over plain HTTP by everyone, or over TLS with tokens. */
export type RegistryAccess = 'plain' | 'tls';

/** Starts a registry of that kind. */
export function startRegistryWith(access: RegistryAccess): Promise<DockerRegistry> {
  return access === 'plain' ? DockerRegistry.start('open', { tls: false }) : DockerRegistry.start('token');
}

/** Makes this process trust the registries of the cases, as it fills them. */
export function trustBenchRegistries(): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(AUTHORITY_FILE, 'utf8')]);
}

/** Writes the logins for some hosts into a folder, and returns the variables with which every tool finds them there. */
export async function writeLogins(folder: string, hosts: readonly Host[]): Promise<string> {
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, { auth }])) }));
  return `DOCKER_CONFIG=${folder} REGISTRY_AUTH_FILE=${file} SSL_CERT_FILE=${AUTHORITY_FILE}`;
}
