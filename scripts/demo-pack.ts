import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileServer } from '../test/support/file-server.ts';
import { Kodo } from '../test/support/kodo/kodo.ts';

const VERSION = '1.36.3';
const IMAGES: Readonly<Record<string, string>> = {
  'kube-apiserver': `v${VERSION}`,
  'kube-controller-manager': `v${VERSION}`,
  'kube-scheduler': `v${VERSION}`,
  'kube-proxy': `v${VERSION}`,
  coredns: 'auto',
  etcd: 'auto',
  pause: 'auto',
};
/** Images whose path at the source differs from their name. */
const UPSTREAM: Readonly<Record<string, string>> = { coredns: 'coredns/coredns' };
const COMPONENTS = ['kubeadm', 'kubelet', 'kubectl'];

/** What the demonstration of packing needs. */
export interface PackDemo {
  readonly folder: string;
  /** The host that acts as registry.k8s.io, and the mirror with its namespace. */
  readonly source: string;
  readonly mirror: string;
  /** The file with the authority of both. */
  readonly authority: string;
  readonly heading: (text: string) => void;
  readonly say: (text?: string) => void;
  /** Shows a command, runs it in the folder, and returns its exit code. */
  readonly run: (
    command: string,
    line: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ) => Promise<number>;
}

function serveComponents(web: FileServer): void {
  for (const name of COMPONENTS) {
    const program = Buffer.alloc(400 * 1024, `${name} ${VERSION} would be here\n`);
    web.put(`/${name}`, program);
    web.put(`/${name}.sha256`, createHash('sha256').update(program).digest('hex'));
  }
}

/** Packs what was mirrored, verifies the package, publishes it to a stand-in for Qiniu, and lists it. */
export async function showPacking({
  folder,
  source,
  mirror,
  authority,
  heading,
  say,
  run,
}: PackDemo): Promise<void> {
  await using web = await FileServer.start();
  await using kodo = await Kodo.start();
  serveComponents(web);
  const versions = {
    images: Object.entries(IMAGES).map(([name, tag]) => ({
      name,
      tag,
      image: `${source}/${UPSTREAM[name] ?? name}`,
    })),
    components: COMPONENTS.map((name) => ({ name, tag: VERSION, uri: `${web.origin}/${name}` })),
  };
  writeFileSync(join(folder, 'versions.json'), `${JSON.stringify(versions, undefined, 2)}\n`);
  const expectGood = async (...command: Parameters<typeof run>): Promise<void> => {
    const code = await run(...command);
    if (code !== 0) throw new Error(`${command[0]} ended with ${code}`);
  };

  heading('packer builds a package for machines without a network from the mirrored images');
  say(`Components and their checksums come from a stand-in for dl.k8s.io on ${web.origin}.`);
  const folders = ['--image-output', 'layers', '--download-output', 'downloads'];
  await expectGood('../packer', [
    '--image-source',
    mirror,
    '--ca-file',
    authority,
    ...folders,
    '--lock',
    'keel.lock.json',
  ]);

  heading('The contents of the package, verified');
  const file = `kube-${VERSION}-amd64.tar.gz`;
  await expectGood('tar', ['-tzf', file, '--exclude', 'images/blobs/sha256/*', '--exclude', 'install/*.sh']);
  mkdirSync(join(folder, 'unpacked'));
  await expectGood('tar', ['-xzf', file, '-C', 'unpacked']);
  await expectGood('sh', [
    '-c',
    'cd unpacked && sha256sum -c --quiet SHA256SUMS && ./install.sh --dry-run | head -n 4',
  ]);

  heading('The package is published to a stand-in for Qiniu, twice: the second time it is unchanged');
  const { accessKey, secretKey } = kodo.account;
  const keys = {
    KEEL_ACCESS_KEY: accessKey,
    KEEL_SECRET_KEY: secretKey,
    KEEL_QINIU_ENDPOINT: kodo.url,
  };
  say(`Its address and keys are in ${Object.keys(keys).join(', ')}.`);
  await expectGood('../packer', ['push', '--pkg-uri', file], keys);
  await expectGood('../packer', ['push', '--pkg-uri', file], keys);
}
