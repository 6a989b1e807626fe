import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { seedIndex } from '../support/registry/seed.ts';
import { Nights, PASSWORD } from './nights.ts';

test('the first night copies all, the second has nothing to do', async () => {
  const nights = await Nights.start();
  const first = await nights.night();
  await expect(first.golden).toMatchFileSnapshot('golden/first-run.txt');
  expect(first.main.leaks).toEqual([]);
  expect(first.main.log.masks).toContain(PASSWORD);
  nights.destination.journal.clear();
  const second = await nights.night();
  await expect(second.golden).toMatchFileSnapshot('golden/nothing-to-do.txt');
  expect(nights.destination.journal.count('upload-start')).toBe(0);
  // What the toolkit starts for the cache is looked through for secrets as well.
  expect(second.processes.filter((line) => /\btar\b/.test(line))).not.toEqual([]);
});

test.each(['basic', 'bearer'] as const)(
  'a night with a %s login masks each secret and each form once',
  async (mode) => {
    const nights = await Nights.start(mode);
    const { main, post } = await nights.night();
    const requests = nights.destination.journal.entries.length;
    for (const { stdout } of [main, post]) {
      const masks = stdout.split('\n').filter((line) => line.startsWith('::add-mask::'));
      expect(new Set(masks).size).toBe(masks.length);
      // The forms of a password with what has to be escaped, and tokens; not a few for each request.
      expect(masks.length).toBeLessThan(requests);
    }
    expect(main.log.masks).toContain(PASSWORD);
  },
);

test('what failed is told with its cause, and does not stop the rest', async () => {
  const nights = await Nights.start();
  nights.denied.add('mirror/kube-proxy');
  nights.source.fail({
    match: { kind: 'manifest-get', path: /\/v2\/kube-scheduler\/manifests\// },
    fault: { kind: 'wrong-bytes' },
    times: Number.POSITIVE_INFINITY,
  });
  seedIndex(nights.source.storage, 'scheduler-plugins/kube-scheduler', { seed: 'other', tags: ['v1.36.2'] });
  const night = await nights.night({
    imageSet: `{
  "names": ["pause", "etcd", "kube-apisever", "scheduler-plugins/kube-scheduler"],
  "prefixes": ["kube-"],
  "exclude": ["-rc."]
}
`,
  });
  await expect(night.golden).toMatchFileSnapshot('golden/some-failed.txt');
  expect(night.main.leaks).toEqual([]);
});

test('a tag of a version that moved is told when all images are done, and kept as it was where that is wanted', async () => {
  const nights = await Nights.start();
  const { storage } = nights.source;
  const offer = (seed: string, created: string) =>
    seedIndex(storage, 'kube-proxy', { seed, created, tags: ['v1.36.2'] });
  offer('before', '2026-02-01T08:00:00Z');
  await nights.night();
  offer('now', '2025-06-01T08:00:00Z');
  const imageSet = '{ "names": ["kube-proxy", "kube-proxi"] }';
  const kept = await nights.night({ imageSet, with: { 'moved-tags': 'keep' } });
  await expect(kept.golden).toMatchFileSnapshot('golden/moved-kept.txt');
  expect(kept.main.log.annotations[0]).toMatchObject({ level: 'error' });
  const copied = await nights.night({ imageSet });
  await expect(copied.golden).toMatchFileSnapshot('golden/moved-copied.txt');
  expect(copied.main.log.annotations[0]).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('kube-proxy:v1.36.2 went back to an older image, but should not move'),
  });
  for (const { main } of [kept, copied]) expect(main.outputs).toMatchObject({ moved: '1' });
});

test('everything failed, for one reason', async () => {
  const nights = await Nights.start();
  nights.destination.fail({
    match: { kind: ['upload-start', 'mount'] },
    fault: { kind: 'status', status: 500, body: '{"errors":[{"code":"UNKNOWN","message":"no space left"}]}' },
    times: Number.POSITIVE_INFINITY,
  });
  await expect((await nights.night()).golden).toMatchFileSnapshot('golden/everything-failed.txt');
});

test('a login that is refused ends the run before anything is copied', async () => {
  const nights = await Nights.start();
  const night = await nights.night({ with: { password: 'something else' } });
  // The cache may have answered by then, or not.
  const golden = night.golden.replaceAll(/^state: .*\n/gm, '');
  await expect(golden).toMatchFileSnapshot('golden/login-refused.txt');
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0 counts for nothing, and is told', async () => {
  const nights = await Nights.start();
  const { main } = await nights.night({
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    with: { 'ca-file': '', retry: '1' },
  });
  expect(main.exitCode).toBe(1);
  expect(main.log.annotations).toMatchObject([
    { level: 'warning', message: expect.stringMatching(/^NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/) },
    {
      level: 'error',
      message: expect.stringMatching(/signed by an authority that this machine does not trust/),
    },
  ]);
  expect(nights.destination.journal.count()).toBe(0);
});

test('a bad image set is told with every line that is wrong', async () => {
  const nights = await Nights.start();
  const night = await nights.night({
    imageSet: `{
  "names": ["pause:3.10", "Etcd"],
  "prefix": ["kube-"]
}
`,
  });
  await expect(night.golden).toMatchFileSnapshot('golden/bad-image-set.txt');
  expect(night.main.log.annotations).toMatchObject([
    { level: 'error', file: 'image_set.json', line: 2 },
    { level: 'error', file: 'image_set.json', line: 2 },
    { level: 'error', file: 'image_set.json', line: 3 },
  ]);
  expect(nights.source.journal.count()).toBe(0);
});

test('bad inputs are told all at once', async () => {
  const nights = await Nights.start();
  const night = await nights.night({
    with: { limit: 'many', naming: 'flat', 'push-too': 'registry.example' },
  });
  await expect(night.golden).toMatchFileSnapshot('golden/bad-inputs.txt');
});

test('a dry run tells what would be copied, pushes nothing and keeps no state', async () => {
  const nights = await Nights.start();
  const night = await nights.night({ with: { 'dry-run': 'true' } });
  await expect(night.golden).toMatchFileSnapshot('golden/dry-run.txt');
  expect(nights.destination.storage.repositories.size).toBe(0);
  expect(nights.service.caches).toHaveLength(0);
});

test('fail-on: never keeps a run with failures green', async () => {
  const nights = await Nights.start();
  nights.denied.add('mirror/pause');
  const night = await nights.night({ with: { 'fail-on': 'never' } });
  expect({ code: night.main.exitCode, failed: night.main.outputs['failed'] }).toEqual({
    code: 0,
    failed: '2',
  });
});

test('the input images takes images and files, and the night after goes on with the image set', async () => {
  const nights = await Nights.start();
  seedIndex(nights.source.storage, 'coredns/coredns', { tags: ['v1.14.2'] });
  const imageSet = '{ "names": ["kube-proxy", "etcd"] }';
  await nights.night({ imageSet });
  const images = 'registry.k8s.io/pause:3.10.1   # the sandbox\n\n# more\ndeploy/images.txt\n';
  const given = await nights.night({
    imageSet: '{',
    with: { images },
    prepare: async ({ workspace }) => {
      await mkdir(`${workspace}/deploy`);
      await writeFile(`${workspace}/deploy/images.txt`, 'registry.k8s.io/coredns/coredns:v1.14.2\n');
    },
  });
  expect(given.main.log.annotations).toEqual([]);
  expect(given.main.outputs).toMatchObject({
    total: '2',
    copied: '2',
    failed: '0',
    'state-restored': 'true',
  });
  expect(given.main.log.text).toContain('Mirror 2 images to ');
  nights.source.storage.repositories.delete('etcd');
  const after = await nights.night({ imageSet });
  expect(after.main.outputs).toMatchObject({ copied: '0', 'state-restored': 'true' });
  expect(after.main.log.text).toContain('"etcd" matched in the last run and matches nothing now');
});

test('an input images that cannot be used ends the step before anything is done', async () => {
  const nights = await Nights.start();
  const { main } = await nights.night({ with: { images: '-\nnosuch.txt\nquay.io/a/B:1' } });
  expect(main.exitCode).toBe(1);
  expect(main.log.annotations.map(({ message }) => message)).toEqual([
    expect.stringContaining('quay.io/a/B:1: "B" cannot be part of a repository name'),
    'input "images": a step of a workflow has no standard input (name a file, or the images)',
  ]);
  const missing = await nights.night({ with: { images: 'nosuch.txt' } });
  expect(missing.main.log.annotations).toMatchObject([{ message: 'nosuch.txt: there is no such file' }]);
  expect(nights.destination.journal.count()).toBe(0);
});

test('given images without a destination end the step before anything is done', async () => {
  const nights = await Nights.start();
  const { main } = await nights.night({ exactly: { images: 'nginx:1.29' } });
  expect(main.exitCode).toBe(1);
  expect(main.log.annotations).toMatchObject([
    { message: expect.stringMatching(/^input "push-to": no destination is given for these images \(/) },
  ]);
});
