import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type KubernetesVersion,
  parseKubernetesVersion,
} from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseMirrorEntry, UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import {
  CANDIDATE_RELEASE,
  NEWER_PATCH,
  NEWEST,
  NEWEST_MINOR,
  NEXT,
  NEXT_CANDIDATE,
  NEXT_RELEASE,
  SECOND_NEXT_MINOR,
} from '../support/upstream/releases.ts';
import { type UpstreamFault, UpstreamService } from '../support/upstream/upstream-service.ts';
import { upstreamFor } from './asking.ts';

const { signal } = new AbortController();
const CONSTANTS = `raw.githubusercontent.com/kubernetes/kubernetes/v${NEXT}/cmd/kubeadm/app/constants/constants.go`;
const TAGS = { etcd: NEXT_RELEASE.etcd, coredns: NEXT_RELEASE.coredns, pause: NEXT_RELEASE.pause };

let service: UpstreamService;
beforeEach(async () => {
  service = await UpstreamService.start();
  service.put('elsewhere.test/login', '<!DOCTYPE html><html><body>Log in</body></html>');
  service.fail('elsewhere.test/round', { kind: 'redirect', to: 'https://elsewhere.test/round' });
});
afterEach(() => service[Symbol.asyncDispose]());

function version(text: string): KubernetesVersion {
  return parseKubernetesVersion(text, 'a test');
}

/** Everything that can come instead of a small text. */
const FAULTS: readonly [name: string, fault: UpstreamFault][] = [
  ['a page of a proxy', { kind: 'content', content: '<!DOCTYPE html><html><body>Log in</body></html>' }],
  ['nothing', { kind: 'content', content: '' }],
  ['no text', { kind: 'content', content: Buffer.from([0xff, 0xfe, 0x00, 0x80]) }],
  ['bytes without end', { kind: 'endless' }],
  ['silence', { kind: 'silence' }],
  ['half of it, and then silence', { kind: 'stall' }],
  ['half of it, and then a reset', { kind: 'cut' }],
  ['a reset', { kind: 'reset' }],
  ['status 403', { kind: 'status', status: 403 }],
  ['status 429 for an hour', { kind: 'status', status: 429, headers: { 'retry-after': '3600' } }],
  ['status 500', { kind: 'status', status: 500 }],
  ['status 503', { kind: 'status', status: 503 }],
  ['a redirect to a page elsewhere', { kind: 'redirect', to: 'https://elsewhere.test/login' }],
  ['a redirect to plain HTTP', { kind: 'redirect', to: 'http://elsewhere.test/login' }],
  ['a redirect without an address', { kind: 'redirect', to: '' }],
  ['a redirect without end', { kind: 'redirect', to: 'https://elsewhere.test/round' }],
];

describe('the newest release', () => {
  it('is what stable.txt names', async () => {
    const upstream = upstreamFor(service);
    expect(await upstream.newestRelease(undefined, signal)).toEqual({
      found: NEXT,
      by: 'dl.k8s.io',
      troubles: [],
    });
    expect(service.asked()).toEqual(['dl.k8s.io/release/stable.txt']);
  });

  it('of a minor is what its own file names', async () => {
    const upstream = upstreamFor(service);
    expect(await upstream.newestRelease(NEWEST_MINOR, signal)).toEqual({
      found: NEWER_PATCH,
      by: 'dl.k8s.io',
      troubles: [],
    });
  });

  it('is nothing, without a trouble, for a minor that has only pre-releases', async () => {
    const upstream = upstreamFor(service);
    expect(await upstream.newestRelease(SECOND_NEXT_MINOR, signal)).toEqual({
      found: undefined,
      troubles: [],
    });
  });

  it.each(FAULTS)(
    'is the one that releases/latest leads to if stable.txt is %s, which is told',
    async (_, fault) => {
      service.fail('dl.k8s.io/release/stable.txt', fault);
      const { found, by, troubles } = await upstreamFor(service).newestRelease(undefined, signal);
      expect([found, by]).toEqual([NEXT, 'github.com']);
      expect(troubles).toEqual([expect.stringMatching(/^stable\.txt: .+/)]);
    },
  );

  it.each([
    ['a pre-release', `v${NEXT_CANDIDATE}`, `it names ${NEXT_CANDIDATE}, which is not a stable version`],
    [
      'one that is older than what is known here',
      'v1.30.2',
      /^it names 1\.30\.2, although 1\.\d+ is already known$/,
    ],
  ])('is not %s', async (_, text, why) => {
    service.put('dl.k8s.io/release/stable.txt', text);
    const { found, troubles } = await upstreamFor(service).newestRelease(undefined, signal);
    expect(found).toBe(NEXT);
    const prefix = 'stable.txt: ';
    expect(troubles.map((trouble) => trouble.replace(prefix, ''))).toEqual([
      typeof why === 'string' ? why : expect.stringMatching(why),
    ]);
  });

  it('is not one of another minor than was asked for', async () => {
    service.put(`dl.k8s.io/release/stable-1.${NEWEST_MINOR}.txt`, `v${NEXT}\n`);
    expect(await upstreamFor(service).newestRelease(NEWEST_MINOR, signal)).toEqual({
      found: undefined,
      troubles: [
        `stable-1.${NEWEST_MINOR}.txt: it names ${NEXT}`,
        `releases/latest of kubernetes: it names ${NEXT}`,
      ],
    });
  });

  it('is unknown, not absent, where a mirror lacks the file of a minor', async () => {
    service.remove(`dl.k8s.io/release/stable-1.${NEWEST_MINOR}.txt`);
    const mirror = new UpstreamMirror([parseMirrorEntry(service.mirror, 'a test')]);
    const { found, troubles } = await upstreamFor(service, { mirror }).newestRelease(NEWEST_MINOR, signal);
    expect(found).toBeUndefined();
    expect(troubles[0]).toBe(`stable-1.${NEWEST_MINOR}.txt: there is no such file`);
  });
});

describe('the tags of kubeadm', () => {
  it('are those of the constants at the tag, and nobody else is asked', async () => {
    const { found, troubles } = await upstreamFor(service).kubeadmTags(version(NEXT), signal);
    expect(found).toEqual({ version: NEXT, tags: TAGS, origin: `kubernetes v${NEXT}` });
    expect(troubles).toEqual([]);
    expect(service.asked()).toEqual([CONSTANTS]);
  });

  it('are those of a pre-release too', async () => {
    const { found } = await upstreamFor(service).kubeadmTags(version(NEXT_CANDIDATE), signal);
    expect(found?.tags).toEqual({
      etcd: CANDIDATE_RELEASE.etcd,
      coredns: CANDIDATE_RELEASE.coredns,
      pause: NEXT_RELEASE.pause,
    });
  });

  it('are asked for once, however often', async () => {
    const upstream = upstreamFor(service);
    const [one, other] = await Promise.all([
      upstream.kubeadmTags(version(NEXT), signal),
      upstream.kubeadmTags(version(NEXT), signal),
    ]);
    await upstream.kubeadmTags(version(NEXT), signal);
    expect(one).toEqual(other);
    expect(service.requests).toHaveLength(1);
  });

  it.each([
    ...FAULTS,
    [
      'a file without CoreDNS',
      {
        kind: 'content',
        content: `DefaultEtcdVersion = "${NEXT_RELEASE.etcd}"\nPauseVersion = "${NEXT_RELEASE.pause}"\n`,
      },
    ],
    ['a file that moved', { kind: 'status', status: 404 }],
  ] satisfies [string, UpstreamFault][])(
    'are those that kubeadm itself tells if the constants are %s, which is told',
    async (_, fault) => {
      const folder = scratchFolder();
      service.fail(CONSTANTS, fault);
      const upstream = upstreamFor(service, { place: { platform: 'linux', machine: 'x64', folder } });
      const { found, troubles } = await upstream.kubeadmTags(version(NEXT), signal);
      expect(found).toEqual({ version: NEXT, tags: TAGS, origin: `kubeadm ${NEXT}` });
      expect(troubles).toEqual([expect.stringMatching(/^kubeadm's constants at kubernetes v1\.\d+\.0: .+/)]);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it.each(['filtered', 'reset'] as const)(
    'are unknown where all hosts are %s, which takes moments',
    async (wall) => {
      service.wall(wall);
      const { found, troubles, isAbsent } = await upstreamFor(service).kubeadmTags(version(NEXT), signal);
      expect([found, isAbsent]).toEqual([undefined, undefined]);
      expect(troubles).toHaveLength(2);
    },
  );

  it.each<[string, Parameters<typeof upstreamFor>[1]]>([
    ['may be run', {}],
    ['must not be run', { verifySignatures: 'require' }],
    ['cannot be run', { place: { platform: 'darwin', machine: 'arm64' } }],
  ])('are absent, of a version that was never released, where kubeadm %s', async (_, choices) => {
    const upstream = upstreamFor(service, choices);
    const never = await upstream.kubeadmTags(version('1.38.99'), signal);
    expect(never).toMatchObject({ found: undefined, isAbsent: true });
    expect(never.troubles).toHaveLength(2);
    // What is there, and cannot be read, is not absent: another version would only be asked for in vain, too.
    service.fail('raw.githubusercontent.com', { kind: 'content', content: 'package constants' });
    service.fail('dl.k8s.io', { kind: 'content', content: '<html>' });
    expect((await upstream.kubeadmTags(version(NEXT), signal)).isAbsent).toBeUndefined();
  });

  it('are asked of a host that gave no answer only once a run', async () => {
    service.wall('filtered');
    const upstream = upstreamFor(service);
    await upstream.kubeadmTags(version(NEXT), signal);
    const before = service.proxy.asked.length;
    const { troubles } = await upstream.kubeadmTags(version(NEWER_PATCH), signal);
    expect(troubles).toHaveLength(2);
    expect(service.proxy.asked).toHaveLength(before);
  });

  it('are those that the API of GitHub has where the other address refuses, and the token goes there only', async () => {
    service.fail('raw.githubusercontent.com', { kind: 'status', status: 429 });
    const upstream = upstreamFor(service, { githubToken: 'a-token' });
    const { found } = await upstream.kubeadmTags(version(NEXT), signal);
    expect(found).toEqual({ version: NEXT, tags: TAGS, origin: `kubernetes v${NEXT}` });
    const authorized = service.requests.map(({ at, headers: { authorization } }) => [at, authorization]);
    expect(authorized).toEqual([
      ['raw.githubusercontent.com', undefined],
      ['raw.githubusercontent.com', undefined],
      ['api.github.com', 'Bearer a-token'],
    ]);
  });

  it.each([
    ['without a token', undefined, { kind: 'status', status: 429 }],
    ['for a file that is not there', 'a-token', { kind: 'status', status: 404 }],
  ] as const)('are not asked of the API of GitHub %s', async (_, githubToken, fault) => {
    service.fail('raw.githubusercontent.com', fault);
    await upstreamFor(service, { githubToken }).kubeadmTags(version(NEXT), signal);
    expect(service.asked().filter((address) => address.startsWith('api.github.com'))).toEqual([]);
  });

  it('ends with the reason of the signal', async () => {
    service.fail(CONSTANTS, { kind: 'silence' });
    const stopping = new AbortController();
    const asked = upstreamFor(service).kubeadmTags(version(NEXT), stopping.signal);
    stopping.abort(new Error('the run is over'));
    await expect(asked).rejects.toThrow('the run is over');
  });
});

describe('a mirror', () => {
  it('is asked in place of the makers, and no proxy leads to them', async () => {
    const mirror = new UpstreamMirror([parseMirrorEntry(service.mirror, 'a test')]);
    const upstream = upstreamFor(service, { mirror });
    const { by } = await upstream.newestRelease(undefined, signal);
    expect(by).toBe(`dl.k8s.io through ${new URL(service.mirror).host}`);
    await upstream.kubeadmTags(version(NEXT), signal);
    const { found, troubles } = await upstream.components(version(NEXT), signal);
    expect(found.map(({ name, tag }) => `${name} ${tag}`)).toEqual([
      `containerd ${NEWEST.containerd}`,
      `runc ${NEWEST.runc}`,
      `crictl ${NEWEST.crictl}`,
      `cni-plugins ${NEWEST.cniPlugins}`,
    ]);
    expect([...troubles.values()].flat()).toEqual([]);
    expect(new Set(service.requests.map(({ at }) => at))).toEqual(new Set(['mirror']));
    expect(service.proxy.asked).toEqual([]);
  });
});
