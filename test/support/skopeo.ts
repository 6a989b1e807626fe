import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { AUTHORITY_FILE } from './test-authority.ts';
import type { Login } from './token-server.ts';

const run = promisify(execFile);

/** An image at a registry with TLS on loopback, for skopeo. */
export interface Place {
  readonly reference: string;
  readonly login?: Login | undefined;
}

async function skopeo(...args: readonly string[]): Promise<string> {
  try {
    const options = { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, SSL_CERT_FILE: AUTHORITY_FILE } };
    const { stdout } = await run('skopeo', ['--insecure-policy', ...args], options);
    return stdout;
  } catch (error) {
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`skopeo ${args[0]}: ${told || String(error)}`, { cause: error });
  }
}

function credentials(flag: string, login: Login | undefined): string[] {
  return login === undefined ? [] : [flag, `${login.username}:${login.password}`];
}

/** Returns the bytes of a manifest as skopeo sees them, with their digest. */
export async function inspectManifest({
  reference,
  login,
}: Place): Promise<{ text: string; digest: Digest }> {
  const creds = credentials('--creds', login);
  const text = await skopeo('inspect', '--raw', ...creds, `docker://${reference}`);
  return { text, digest: digestOf(Buffer.from(text)) };
}

/** Returns the architecture that the configuration of an image tells, for a platform of an index. */
export async function inspectArchitecture(
  { reference, login }: Place,
  architecture: string,
): Promise<string> {
  const creds = credentials('--creds', login);
  const choice = [`--override-arch=${architecture}`, '--override-os=linux'];
  const place = ['--config', ...creds, `docker://${reference}`];
  const config: { architecture?: string } = JSON.parse(await skopeo(...choice, 'inspect', ...place));
  return config.architecture ?? '';
}

/** Copies an image with all its platforms into a folder, digests unchanged: skopeo checks every one of them. */
export async function copyToFolder({ reference, login }: Place, folder: string): Promise<{ digest: Digest }> {
  const creds = credentials('--src-creds', login);
  const how = ['--all', '--quiet', '--preserve-digests', ...creds];
  await skopeo('copy', ...how, `docker://${reference}`, `dir:${folder}`);
  return { digest: digestOf(await readFile(join(folder, 'manifest.json'))) };
}

/** Copies an image out of a folder, in which it has the form that skopeo gives it. */
export async function copyFolder(folder: string, { reference, login }: Place): Promise<void> {
  const creds = credentials('--dest-creds', login);
  await skopeo('copy', '--quiet', '--preserve-digests', ...creds, `dir:${folder}`, `docker://${reference}`);
}

/** Copies an image with all its platforms from one registry to another. */
export async function copyImage(from: Place, to: Place): Promise<void> {
  const creds = [...credentials('--src-creds', from.login), ...credentials('--dest-creds', to.login)];
  const how = ['--all', '--quiet', ...creds];
  await skopeo('copy', ...how, `docker://${from.reference}`, `docker://${to.reference}`);
}
