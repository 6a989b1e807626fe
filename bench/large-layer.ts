import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { DockerRegistry } from '../test/support/docker-registry.ts';
import { AUTHORITY_FILE } from '../test/support/test-authority.ts';
import type { Case, Contender, Stage } from './case.ts';
import { measure } from './measure.ts';
import { installedMirrorers } from './mirrorer.ts';
import type { RegistryAccess } from './registry-access.ts';
import { Route } from './route.ts';
import type { Sample } from './sample.ts';
import { openScratch } from './scratch.ts';

const GIBIBYTE = 1024 ** 3;
const PIECE = 1024 ** 2;
const REPOSITORY = 'bench/large';

interface LargeLayer {
  readonly digest: string;
  readonly size: number;
}

/** Mirrors one layer of 1 GiB. What curl does is the floor: it reads and writes, and checks nothing. */
export function largeLayerCase(access: RegistryAccess): Case {
  const open = async (wants: (contender: string) => boolean): Promise<Stage> => {
    const source = await startOpen(access);
    const layer = await pushLargeImage(source);
    const run = async (command: (route: Route, folder: string) => Promise<string>): Promise<Sample> => {
      await using scratch = await openScratch();
      await using destination = await startOpen(access);
      await using route = await Route.open(source, destination, { milliseconds: 0 });
      return await route.measure(await command(route, scratch.folder));
    };
    const repositories = [{ name: REPOSITORY, tags: ['v1.0.0'] }];
    const tools = installedMirrorers().map(
      ({ name, command }): Contender => ({
        name,
        run: () => run(({ from, to }, folder) => command({ from, to, repositories, access, folder })),
      }),
    );
    const curl = { name: 'curl | curl', run: () => run(async (route) => pipeWithCurl(route, layer, access)) };
    return {
      contenders: [...tools.slice(0, 1), curl, ...tools.slice(1)].filter(({ name }) => wants(name)),
      facts: { blobs: 2, blobBytes: layer.size, milliseconds: 0 },
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    };
  };
  const [id, over] = access === 'plain' ? ['large-layer', ''] : ['large-layer-tls', ' over TLS'];
  return { id, part: 'sync', title: `one layer of 1 GiB${over}, nothing in between`, open };
}

/** Starts a registry that everyone may use: what it costs to ask for one token would not show. */
function startOpen(access: RegistryAccess): Promise<DockerRegistry> {
  return DockerRegistry.start('open', { tls: access === 'tls' });
}

// Curl trusts the authority also where there is no TLS to need it.
const CURL = `curl --cacert ${AUTHORITY_FILE}`;

function originOf({ host, isPlain }: Pick<DockerRegistry, 'host' | 'isPlain'>): string {
  return `${isPlain ? 'http' : 'https'}://${host}`;
}

function openUploadWithCurl(origin: string): string {
  const post = `${CURL} -sSi -X POST ${origin}/v2/${REPOSITORY}/blobs/uploads/`;
  return `location=$(${post} | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')`;
}

function pipeWithCurl({ from, to }: Route, { digest, size }: LargeLayer, access: RegistryAccess): string {
  const isPlain = access === 'plain';
  const get = `${CURL} -sSf ${originOf({ host: from, isPlain })}/v2/${REPOSITORY}/blobs/${digest}`;
  // With its length, so that it is sent as it is and not in chunks.
  const put = `${CURL} -sSf -T - -H 'Transfer-Encoding:' -H 'Content-Length: ${size}' -H 'Expect:' "$location&digest=${digest}"`;
  return `${openUploadWithCurl(originOf({ host: to, isPlain }))} && ${get} | ${put}`;
}

/** Random bytes, so that nothing on the way can save any of them. */
function* randomPieces(): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE);
  for (let done = 0; done < GIBIBYTE; done += PIECE) yield cipher.update(zeros);
}

/** Pushes an image of one large layer. It is as gzip writes it, or skopeo would compress it. */
async function pushLargeImage(registry: DockerRegistry): Promise<LargeLayer> {
  const origin = originOf(registry);
  await using scratch = await openScratch();
  const file = join(scratch.folder, 'layer');
  const hash = createHash('sha256');
  const content = createHash('sha256');
  await pipeline(
    Readable.from(randomPieces()),
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        content.update(piece);
        yield piece;
      }
    },
    createGzip({ level: 0 }),
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        hash.update(piece);
        yield piece;
      }
    },
    createWriteStream(file),
  );
  const layer = { digest: `sha256:${hash.digest('hex')}`, size: (await stat(file)).size };
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${content.digest('hex')}`] },
  });
  const configDigest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: configDigest,
      size: config.length,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
  });
  const push = (source: string, digest: string): string =>
    `${openUploadWithCurl(origin)} && ${source} ${CURL} -sSf -T - -H 'Expect:' "$location&digest=${digest}"`;
  await measure(push(`cat '${file}' |`, layer.digest));
  await measure(push(`printf %s '${config}' |`, configDigest));
  const type = 'application/vnd.oci.image.manifest.v1+json';
  await measure(
    `printf %s '${manifest}' | ${CURL} -sSf -T - -H 'Content-Type: ${type}' ${origin}/v2/${REPOSITORY}/manifests/v1.0.0`,
  );
  return layer;
}
