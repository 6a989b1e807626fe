import { type BlobPush, pushBlob } from '../../src/registry/blob/blob-push.ts';
import { registrySource } from '../../src/registry/blob/blob-source.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { bytesContent, generatedBytes } from '../support/registry/content.ts';
import type { RequestMatch } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

export const APP = parseRepository('keel/app');
export const OTHER = parseRepository('keel/other');
export const SOURCE = parseRepository('app');
export const LOGIN = { username: 'keel', password: 'secret' };
export const BYTES = generatedBytes('layer', 300_000);
export const DIGEST = digestOf(BYTES);

/** A source that holds the layer, a destination, and a way to push from one to the other. */
export async function pair(options: Parameters<typeof startRegistry>[0] = {}) {
  const source = await startRegistry();
  const sink = await startRegistry(options);
  source.storage.putBlob(SOURCE, bytesContent(BYTES));
  const client = new TestClient(sink.host, { login: LOGIN });
  const from = registrySource(client.registries.at(source.host), SOURCE);
  const push = (choices: Partial<BlobPush> = {}) =>
    pushBlob({
      registry: client.registry,
      repository: APP,
      descriptor: { digest: DIGEST, size: BYTES.length },
      sources: () => [from],
      isAbsent: true,
      signal: client.signal,
      ...choices,
    });
  return {
    source,
    sink,
    client,
    from,
    push,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await Promise.all([source.close(), sink.close()]);
    },
  };
}

/** Brings a blob from a source into the same repository of the client's registry, which does not have it. */
export function bring(
  { registry, registries, signal }: TestClient,
  source: TestRegistry,
  descriptor: BlobPush['descriptor'],
  choices: Partial<BlobPush> = {},
) {
  const repository = SOURCE;
  const sources = () => [registrySource(registries.at(source.host), repository)];
  return pushBlob({ registry, repository, descriptor, sources, isAbsent: true, signal, ...choices });
}

export function stored(sink: TestRegistry, digest: Digest = DIGEST): boolean {
  return sink.storage.blob(APP, digest) !== undefined;
}

/** An upload is opened with or without asking for the layer at the same time. */
export const OPENING: RequestMatch = { kind: ['mount', 'upload-start'] };

export function requests(sink: TestRegistry): string[] {
  return sink.journal.entries.map(({ kind }) => kind).filter((kind) => kind !== 'ping' && kind !== 'token');
}
