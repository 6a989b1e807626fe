import { basename } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { installationJson, installationLines } from '../../src/cli/text/installation-text.ts';
import type { Architecture } from '../../src/config/kubernetes/architecture.ts';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { type Index, parseManifest } from '../../src/registry/oci/manifest.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { checkInstallation, isInstallable } from '../../src/sync/check/installation.ts';
import { fillRegistry } from '../support/images/fill.ts';
import { KUBERNETES_SET } from '../support/images/kubernetes-set.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex, seedMade, seedWindows } from '../support/registry/seed.ts';
import { cosignLayer, cosignManifest, cosignPayload, signatureTag } from '../support/sigstore/signature.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';
import { type RunChoices, SyncRoute } from '../support/sync-run.ts';

const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

/** A mirror that one run filled. */
async function world(set: object, choices: RunChoices = {}) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  await fillRegistry(source, KUBERNETES_SET);
  const route = new SyncRoute({ source, destination, set });
  await route.run(choices);
  source.journal.clear();
  destination.journal.clear();
  const check = async (version: string, architecture: Architecture = 'amd64') => {
    const warnings: string[] = [];
    const checked = await checkInstallation(
      { word: parseKubernetesWord(version, 'test'), architecture },
      route.settings(choices),
      { ...route.parts(), reporter: { ...route.parts().reporter, warning: (text) => warnings.push(text) } },
    );
    return { checked, warnings, lines: installationLines(checked) };
  };
  return { source, destination, route, check, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('a mirror of a release can be installed from, on every architecture that was mirrored', async () => {
  await using here = await world({ kubernetes: ['1.36'] });
  const { checked, lines, warnings } = await here.check('1.36.3');
  expect(isInstallable(checked)).toBe(true);
  expect(warnings).toEqual([]);
  expect(checked.images.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
    ...PROGRAMS.map((name) => `${name}:v1.36.3 there`),
    'etcd:3.6.8-0 there',
    'coredns/coredns:v1.14.2 there',
    'pause:3.10.2 there',
  ]);
  expect(lines.at(-1)).toBe(
    'installable: all 7 images of Kubernetes 1.36.3 for linux/amd64 are there; machines need a login',
  );
  expect(lines.join('\n')).toContain(`imageRepository: ${here.destination.host}/keel\n`);
  expect(lines.join('\n')).toContain(`[host."https://${here.destination.host}/v2/keel"]`);
  expect(here.source.journal.entries).toEqual([]);
  expect(isInstallable((await here.check('1.36.3', 'arm64')).checked)).toBe(true);
});

test('what is missing is told by name, with what to do', async () => {
  await using here = await world({ kubernetes: ['1.36'] });
  const { checked, lines } = await here.check('1.35.7');
  expect(isInstallable(checked)).toBe(false);
  expect(lines.at(-1)).toBe(
    'not installable: missing kube-apiserver:v1.35.7, kube-controller-manager:v1.35.7, kube-scheduler:v1.35.7, ' +
      'kube-proxy:v1.35.7, etcd:3.6.6-0, coredns/coredns:v1.13.1 and pause:3.10.1 ' +
      '(put "1.35.7", or a word that means it, under "kubernetes" in the image set, and run synctl sync)',
  );
  expect(installationJson(checked)).toMatchObject({ installable: false, missing: { length: 7 } });
  expect(lines.join('\n')).not.toContain('imageRepository');
  const narrow = installationLines(checked, 80).flatMap((line) => line.split('\n'));
  expect(narrow.filter((line) => line.length > 80)).toEqual([]);
});

test('an image that lost a part under its tag is told, with the run that brings it back', async () => {
  await using here = await world({ kubernetes: ['1.36'] });
  const { storage } = here.destination;
  const etcd = storage.manifest('keel/etcd', '3.6.8-0');
  const { manifests } = JSON.parse(etcd?.bytes.toString() ?? '');
  storage.deleteManifest('keel/etcd', manifests[0].digest);
  const { checked, lines } = await here.check('1.36.3');
  expect(isInstallable(checked)).toBe(false);
  expect(lines.find((line) => line.startsWith('etcd:'))).toContain(
    'incomplete: it lacks its image for linux/amd64',
  );
  expect(lines.at(-1)).toBe(
    'not installable: missing etcd:3.6.8-0 ' +
      '(put "1.36.3", or a word that means it, under "kubernetes" in the image set, and run synctl sync --verify deep)',
  );
  expect(isInstallable((await here.check('1.36.3', 'arm64')).checked)).toBe(true);
  await here.route.run({ verify: 'deep' });
  expect(isInstallable((await here.check('1.36.3')).checked)).toBe(true);
});

test('images for other machines do not count', async () => {
  await using here = await world(
    { kubernetes: ['1.36'] },
    { platforms: [parsePlatform('linux/amd64', 'test')] },
  );
  expect(isInstallable((await here.check('1.36.2')).checked)).toBe(true);
  const { lines } = await here.check('1.36.2', 'arm64');
  expect(lines.find((line) => line.startsWith('etcd:'))).toContain('other-platforms: only for linux/amd64');
  expect(lines.at(-1)).toContain('(widen --platform, put "1.36.2"');
});

test.each<[string, string, string]>([
  [
    'v0.28.10',
    'flannel:v0.28.10 there',
    'installable: all 7 images of Kubernetes 1.36.3 and 2 of the network ',
  ],
  ['latest', 'flannel missing', 'not installable: missing ghcr.io/flannel-io/flannel (run synctl sync)'],
])('the images of the network that the set names are looked for: %s', async (tag, told, verdict) => {
  await using here = await world({ kubernetes: ['1.36.3'] });
  seedIndex(here.destination.storage, 'keel/flannel', { tags: ['v0.28.9-arm64', tag] });
  seedIndex(here.destination.storage, 'keel/flannel-cni-plugin', { tags: ['v1.9.1-flannel3'] });
  here.route.wants({ kubernetes: ['1.36.3'], cni: ['flannel'] });
  const { checked, lines } = await here.check('1.36.3');
  expect(checked.images.map(({ name, verdict: each }) => `${name} ${each}`)).toContain(
    `ghcr.io/flannel-io/${told}`,
  );
  expect(lines.at(-1)).toContain(verdict);
  expect(isInstallable(checked)).toBe(tag !== 'latest');
  expect(installationJson(checked)).toMatchObject({
    unfound: expect.arrayContaining([
      { image: 'registry.k8s.io/coredns/coredns', mirror: 'keel/coredns' },
      { image: 'ghcr.io/flannel-io/flannel', mirror: 'keel/flannel' },
    ]),
  });
});

test('an image of the network that is optional does not keep a mirror from being installable', async () => {
  await using here = await world({ kubernetes: ['1.36.3'] });
  for (const name of ['cni', 'node', 'kube-controllers']) {
    seedIndex(here.destination.storage, `keel/${name}`, { tags: ['v3.32.1'] });
  }
  here.route.wants({ kubernetes: ['1.36.3'], cni: ['calico'] });
  const { checked, lines } = await here.check('1.36.3');
  expect(isInstallable(checked)).toBe(true);
  expect(lines.find((line) => line.startsWith('quay.io/calico/typha'))).toMatch(/ missing \(optional\)$/);
  expect(lines.find((line) => line.startsWith('optional: '))).toMatch(
    /quay\.io\/calico\/typha.* are not there/,
  );
  expect(lines.at(-1)).toContain('installable: all 7 images of Kubernetes 1.36.3 and 3 of the network for ');
  expect(installationJson(checked)).toMatchObject({
    installable: true,
    missing: [],
    missingOptional: expect.arrayContaining(['quay.io/calico/typha', 'quay.io/tigera/operator']),
  });

  here.destination.storage.deleteTag('keel/node', 'v3.32.1');
  expect(isInstallable((await here.check('1.36.3')).checked)).toBe(false);
});

test('a mirror that does not list the images of the network is unknown, and not empty', async () => {
  await using here = await world({ kubernetes: ['1.36.3'] });
  here.route.wants({ kubernetes: ['1.36.3'], cni: ['flannel'] });
  const fault = { kind: 'status', status: 403 } as const;
  here.destination.fail({ match: { kind: 'tags-list' }, times: Number.POSITIVE_INFINITY, fault });
  const { lines } = await here.check('1.36.3');
  expect(lines.at(-1)).toBe(
    'unknown: ghcr.io/flannel-io/flannel and ghcr.io/flannel-io/flannel-cni-plugin could not be checked',
  );
});

test('names that kubeadm does not ask for are told, with the patch that mends them', async () => {
  await using here = await world({ kubernetes: ['1.36.3'] }, { naming: 'dashed' });
  const { checked, lines } = await here.check('1.36.3');
  expect(isInstallable(checked)).toBe(false);
  expect(checked.files).toEqual([]);
  expect(lines.at(-1)).toBe(
    'not installable: kubeadm pulls keel/coredns, but the mirror has it as keel/coredns-coredns ' +
      '(use --naming basename, or a patch {"match": "coredns/coredns", "name": "coredns"})',
  );
});

test.each([
  ['latest', 'Kubernetes 1.36.3 (latest) for linux/amd64'],
  ['1.36', 'Kubernetes 1.36.3 (1.36) for linux/amd64'],
  ['latest-1', 'Kubernetes 1.35.7 (latest-1) for linux/amd64'],
])('of a word the newest release at the source is checked: %s', async (word, heading) => {
  await using here = await world({ kubernetes: ['1.36'] });
  const { checked, lines } = await here.check(word);
  expect(lines[0]).toBe(`${heading} from ${checked.mirror}`);
  expect(installationJson(checked)).toMatchObject({
    kubernetes: checked.version,
    asked: word,
    origin: 'table',
  });
  expect(isInstallable(checked)).toBe(checked.version === '1.36.3');
});

test('a word for which the source has nothing is refused, and a version for which nobody knows the images', async () => {
  await using here = await world({ kubernetes: ['1.36'] });
  await expect(here.check('1.39')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    about: `${here.source.host}/kube-apiserver`,
    message: expect.stringMatching(
      /^the source has no release of Kubernetes for "1\.39", and 1\.3\d\.\d+ is its newest$/,
    ),
  });
  await expect(here.check('1.21.3')).rejects.toMatchObject({
    code: 'KUBERNETES_RELEASE_UNKNOWN',
    about: 'Kubernetes 1.21.3',
  });
});

test('a version that is newer than what is known of kubeadm is told', async () => {
  await using here = await world({ kubernetes: ['1.36.3'] });
  const { warnings } = await here.check('1.36.99');
  expect(warnings[0]).toContain('the images of kubeadm 1.36.99 are not known yet');
});

test('ends at --command-timeout where the mirror is silent', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  destination.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'silence' } });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  const choice = { word: parseKubernetesWord('1.36.2', 'test'), architecture: 'amd64' } as const;
  const settings = route.settings({ commandTimeout: milliseconds(100) });
  await expect(checkInstallation(choice, settings, route.parts())).rejects.toMatchObject({
    code: 'COMMAND_TIMED_OUT',
    message: 'the time limit of 100 ms is over',
  });
});

test('one reason why no image can be asked for is told once', async () => {
  await using here = await world({ kubernetes: ['1.36.3'] });
  here.destination.fail({
    match: { kind: 'ping' },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 502 },
  });
  const { checked, lines } = await here.check('1.36.3');
  const [{ message } = { message: '' }] = checked.images;
  expect(checked.images.map((image) => image.message)).toEqual(Array(7).fill(message));
  expect(lines.filter((line) => line.includes(message))).toEqual([`unknown: ${message}`]);
  expect(lines.find((line) => line.startsWith('etcd:'))).toMatch(/unknown$/);
  expect(lines.at(-1)).toMatch(/^unknown: /);
});

const VERSION = '1.36.3';
const NEEDED = [
  ...PROGRAMS.map((name) => [name, `v${VERSION}`] as const),
  ['etcd', '3.6.8-0'],
  ['coredns/coredns', 'v1.14.2'],
  ['pause', '3.10.2'],
] as const;
const RELEASE = { identity: 'release@example.com', issuer: 'https://accounts.example.com' };
const SOMEONE = { ...RELEASE, identity: 'someone@example.com' };

describe('with --verify-signatures', () => {
  let sigstore: TestSigstore;
  beforeAll(async () => {
    sigstore = await TestSigstore.start();
  });

  async function sign(
    { host, storage }: TestRegistry,
    name: string,
    digest: Digest,
    signing = RELEASE,
  ): Promise<void> {
    const layer = await cosignLayer(sigstore, cosignPayload(digest, `${host}/${name}`), signing);
    seedMade(storage, name, signatureTag(digest), cosignManifest([layer]));
  }

  function indexOf(registry: TestRegistry, name: string, tag: string): Index {
    const stored = registry.storage.manifest(name, tag);
    const manifest = parseManifest(stored?.bytes ?? Buffer.alloc(0), undefined, name);
    if (manifest.kind !== 'index') throw new Error(`${name} is no index`);
    return manifest;
  }

  /** A mirror of a release of which each image is signed, and all that it lists; `signers` names others. */
  async function signedWorld(
    choices: RunChoices = {},
    signers: Readonly<Record<string, typeof RELEASE | undefined>> = {},
  ) {
    const stack = new AsyncDisposableStack();
    const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
    const destination = stack.use(await startRegistry({ access: TOKENS }));
    for (const [name, tag] of NEEDED) {
      seedIndex(source.storage, name, { tags: [tag], layers: [100] });
      const signer = name in signers ? signers[name] : RELEASE;
      const { digest, manifests } = indexOf(source, name, tag);
      if (signer === undefined) continue;
      for (const one of [digest, ...manifests.map((listed) => listed.digest)])
        await sign(source, name, one, signer);
    }
    const set = { kubernetes: [VERSION], signatures: { [source.host]: RELEASE } };
    const route = new SyncRoute({ source, destination, set });
    const trustedRoot = sigstore.writeTrustedRoot(route.folder);
    await route.run(choices);
    source.journal.clear();
    const check = async (verifySignatures: 'warn' | 'require') => {
      const checked = await checkInstallation(
        { word: parseKubernetesWord(VERSION, 'test'), architecture: 'amd64' },
        route.settings({ ...choices, verifySignatures, trustedRoot }),
        route.parts(),
      );
      return { checked, lines: installationLines(checked), json: installationJson(checked) };
    };
    return { source, destination, route, check, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test('finds the signatures at the mirror, and asks the source for none that are there', async () => {
    await using here = await signedWorld({ signatures: 'copy' });
    const { checked, lines, json } = await here.check('require');
    expect(isInstallable(checked)).toBe(true);
    expect(lines).toContain(`signatures: verified, signed by ${RELEASE.identity} (${RELEASE.issuer})`);
    expect(lines.at(-1)).toBe(
      `installable: all 7 images of Kubernetes ${VERSION} for linux/amd64 are there, and signed; machines need a login`,
    );
    expect(json).toMatchObject({
      installable: true,
      signaturesRequired: true,
      images: NEEDED.map(() => ({ signature: { status: 'verified', identity: RELEASE.identity } })),
    });
    expect(here.source.journal.entries).toEqual([]);
  });

  test('finds those that were not mirrored at the source', async () => {
    await using here = await signedWorld();
    const { checked } = await here.check('require');
    expect(isInstallable(checked)).toBe(true);
    expect(here.source.journal.count()).toBeGreaterThan(0);
  });

  test('tells what is not signed, or by another, and is not content where signatures are required', async () => {
    await using here = await signedWorld({ signatures: 'copy' }, { etcd: undefined, pause: SOMEONE });
    const warned = await here.check('warn');
    expect(isInstallable(warned.checked)).toBe(true);
    expect(warned.lines.at(-1)).toMatch(
      /are there, 2 of them without a valid signature; machines need a login$/,
    );
    const { checked, lines, json } = await here.check('require');
    expect(isInstallable(checked)).toBe(false);
    expect(lines.join('\n')).toMatch(/^signature of etcd:3\.6\.8-0: it has no signature; /m);
    expect(lines.join('\n')).toMatch(/^signature of pause:3\.10\.2: .* it is by someone@example\.com /m);
    expect(lines.at(-1)).toBe('not installable: no valid signature for etcd:3.6.8-0 and pause:3.10.2');
    expect(lines.join('\n')).not.toContain('imageRepository');
    expect(json).toMatchObject({ installable: false });
    expect(JSON.stringify(json)).toContain('"SIGNATURE_REFUSED"');
  });

  test('is not content where nobody said who signs', async () => {
    await using here = await signedWorld();
    here.route.wants({ kubernetes: [VERSION] });
    const { checked } = await here.check('require');
    expect(isInstallable(checked)).toBe(false);
    expect(checked.images[0]?.signature?.reason?.code).toBe('SIGNATURE_POLICY_MISSING');
  });

  test('takes an index that was cut to some platforms by the signatures of what it lists', async () => {
    await using here = await signedWorld({ platforms: [parsePlatform('linux/amd64', 'test')] });
    expect(isInstallable((await here.check('require')).checked)).toBe(true);
  });

  test.each<[string, object]>([
    [
      'a variant that newer machines prefer',
      { platform: { os: 'linux', architecture: 'amd64', variant: 'v3' } },
    ],
    ['no system, which a machine takes for its own', { platform: { os: '', architecture: 'amd64' } }],
    ['no platform', {}],
  ])('takes no index for the signature of a part of it that a machine may not take: %s', async (_, told) => {
    await using here = await signedWorld({ signatures: 'copy' });
    const { storage } = here.destination;
    const { mediaType, digest, bytes } = seedImage(storage, 'keel/etcd', { seed: 'evil' });
    const genuine = indexOf(here.destination, 'keel/etcd', '3.6.8-0');
    const body = JSON.parse(genuine.bytes.toString());
    body.manifests.unshift({ mediaType, digest, size: bytes.length, ...told });
    storage.putManifest('keel/etcd', Buffer.from(JSON.stringify(body)), genuine.mediaType, ['3.6.8-0']);
    const { checked, lines } = await here.check('require');
    expect(isInstallable(checked)).toBe(false);
    expect(lines.at(-1)).toBe('not installable: no valid signature for etcd:3.6.8-0');
  });
});

test('an image of which layers are elsewhere cannot be installed from', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  for (const [name, tag] of NEEDED) seedIndex(destination.storage, `keel/${basename(name)}`, { tags: [tag] });
  seedWindows(destination.storage, 'keel/pause', { tags: ['3.10.2'], platform: 'linux/amd64' });
  const route = new SyncRoute({ source, destination, set: { kubernetes: [VERSION] } });
  const choice = { word: parseKubernetesWord(VERSION, 'test'), architecture: 'amd64' } as const;
  const checked = await checkInstallation(choice, route.settings(), route.parts());
  expect(isInstallable(checked)).toBe(false);
  expect(checked.images.at(-1)).toMatchObject({
    verdict: 'incomplete',
    message: 'it lacks 1 layer of a type that is not distributed; synctl sync does not copy these',
  });
});

test.each<[string, NonNullable<FaultRule['match']>, RegExp]>([
  [
    'layers',
    { kind: ['blob-head', 'blob-get'] },
    /^by its tag alone, because the mirror refuses to confirm \d blobs of it$/,
  ],
  [
    'what an index lists',
    { kind: 'manifest-get', when: ({ reference }) => reference.startsWith('sha256:') },
    /^by its tag alone, because the mirror refuses to show 1 manifest of it$/,
  ],
])('is told where a mirror refuses to tell of %s', async (_, match, message) => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  for (const [name, tag] of NEEDED) seedIndex(destination.storage, `keel/${basename(name)}`, { tags: [tag] });
  const fault = { kind: 'status', status: 403 } as const;
  destination.fail({ match, times: Number.POSITIVE_INFINITY, fault });
  const route = new SyncRoute({ source, destination, set: { kubernetes: [VERSION] } });
  const choice = { word: parseKubernetesWord(VERSION, 'test'), architecture: 'amd64' } as const;
  const checked = await checkInstallation(choice, route.settings(), route.parts());
  for (const image of checked.images) {
    expect(image).toMatchObject({ verdict: 'there', message: expect.stringMatching(message) });
  }
  expect(installationLines(checked).at(-1)).toMatch(
    /are there, 7 of them as far as the mirror reports; machines need a login$/,
  );
});

test('an image that does not tell its platform is not taken for one of this platform', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  const platforms = ['unknown/unknown'];
  for (const [name, tag] of NEEDED)
    seedIndex(destination.storage, `keel/${basename(name)}`, { tags: [tag], platforms });
  const route = new SyncRoute({ source, destination, set: { kubernetes: [VERSION] } });
  const choice = { word: parseKubernetesWord(VERSION, 'test'), architecture: 'amd64' } as const;
  const checked = await checkInstallation(choice, route.settings(), route.parts());
  expect(isInstallable(checked)).toBe(false);
  expect(checked.images[0]).toMatchObject({
    verdict: 'unknown',
    message: 'it does not name its platform',
  });
});
