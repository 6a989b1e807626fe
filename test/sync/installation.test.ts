import { expect, test } from 'vitest';
import { installationJson, installationLines } from '../../src/cli/installation-text.ts';
import type { Architecture } from '../../src/config/kubernetes/architecture.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { checkInstallation, isInstallable } from '../../src/sync/check/installation.ts';
import { fillRegistry } from '../support/images/fill.ts';
import { KUBERNETES_SET } from '../support/images/kubernetes-set.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
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
      { version: parseKubernetesVersion(version, 'test'), architecture },
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
  expect(lines.at(-1)).toBe('installable: all 7 images of Kubernetes 1.36.3 for linux/amd64 are there');
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
      '(put "1.35.7" under "kubernetes" in the image set, and run synctl sync)',
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
      '(put "1.36.3" under "kubernetes" in the image set, and run synctl sync --verify deep)',
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

test('names that kubeadm does not ask for are told, with the patch that mends them', async () => {
  await using here = await world({ kubernetes: ['1.36.3'] }, { naming: 'dashed' });
  const { checked, lines } = await here.check('1.36.3');
  expect(isInstallable(checked)).toBe(false);
  expect(checked.files).toEqual([]);
  expect(lines.at(-1)).toBe(
    'not installable: kubeadm asks for keel/coredns, and the mirror calls it keel/coredns-coredns ' +
      '(use --naming basename, or a patch {"match": "coredns/coredns", "name": "coredns"})',
  );
});

test('a version that is newer than what is known of kubeadm is told', async () => {
  await using here = await world({ kubernetes: ['1.36.3'] });
  const { warnings } = await here.check('1.36.99');
  expect(warnings[0]).toContain('the images of kubeadm 1.36.99 are not known here yet');
});

test('ends at --command-timeout where the mirror is silent', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  destination.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'silence' } });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  const choice = { version: parseKubernetesVersion('1.36.2', 'test'), architecture: 'amd64' } as const;
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
  expect(lines.at(-1)).toMatch(/^not known: /);
});
