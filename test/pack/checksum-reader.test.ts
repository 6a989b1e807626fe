import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseMirrorEntry, UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { ChecksumReader } from '../../src/pack/fetch/checksum-reader.ts';
import { MAKERS_AUTHORITIES_FILE } from '../support/test-authority.ts';
import { UpstreamService } from '../support/upstream/upstream-service.ts';

const ADDRESS = 'dl.k8s.io/release/v1.38.0/bin/linux/amd64/kubelet.sha256';
const SOURCE = { url: new URL(`https://${ADDRESS}`), fileName: 'kubelet' };

const RELEASE_ADDRESS = 'api.github.com/repos/kubernetes-sigs/metrics-server/releases/tags/v0.9.0';
const RELEASE_SOURCE = {
  url: new URL(`https://${RELEASE_ADDRESS}`),
  fileName: 'components.yaml',
  form: 'release' as const,
};

const HEX = 'a'.repeat(64);
const MAKERS = `sha256:${HEX}`;

/** A maker with a checksum, and a mirror that has it too. */
async function world() {
  const service = await UpstreamService.start();
  onTestFinished(() => service[Symbol.asyncDispose]());
  service.put(ADDRESS, HEX);
  vi.stubEnv('HTTPS_PROXY', service.proxy.url);
  vi.stubEnv('NO_PROXY', '127.0.0.1');
  const http = new HttpClient({ authorities: [readFileSync(MAKERS_AUTHORITIES_FILE, 'utf8')] });
  onTestFinished(() => {
    http.close();
    vi.unstubAllEnvs();
  });
  const reader = (mirror?: UpstreamMirror) =>
    new ChecksumReader({
      http,
      retry: { attempts: 2, interval: milliseconds(1) },
      signal: new AbortController().signal,
      mirror,
      patience: milliseconds(500),
    });
  const mirror = new UpstreamMirror([parseMirrorEntry(service.mirror, 'test')]);
  return { service, reader, mirror, asked: () => service.requests.map(({ at }) => at) };
}

describe('a published checksum', () => {
  it('is read at its maker where there is no mirror', async () => {
    const { reader, asked } = await world();
    expect(await reader().find(SOURCE)).toEqual({ digest: MAKERS, source: SOURCE.url.href });
    expect(asked()).toEqual(['dl.k8s.io']);
  });

  it('is read at its maker although a mirror has it, so that the mirror cannot vouch for itself', async () => {
    const { reader, mirror, asked } = await world();
    expect(await reader(mirror).find(SOURCE)).toEqual({ digest: MAKERS, source: SOURCE.url.href });
    expect(asked()).toEqual(['dl.k8s.io']);
  });

  it('that its maker does not have is not taken from a mirror', async () => {
    const { service, reader, mirror, asked } = await world();
    service.remove(ADDRESS);
    expect(await reader(mirror).find(SOURCE)).toEqual({ looked: SOURCE.url.href, isUnanswered: false });
    expect(asked()).toEqual(['dl.k8s.io']);
  });

  it.each<[string, (service: UpstreamService) => void, string]>([
    ['is filtered', (service) => service.wall('filtered', 'dl.k8s.io'), 'dl.k8s.io: no answer within 500 ms'],
    ['resets', (service) => service.wall('reset', 'dl.k8s.io'), 'dl.k8s.io: '],
    [
      'refuses',
      (service) => service.fail(ADDRESS, { kind: 'status', status: 403 }, 1),
      'dl.k8s.io: answered with status 403',
    ],
    [
      'answers with a page',
      (service) => service.fail(ADDRESS, { kind: 'content', content: '<html></html>' }, 1),
      'dl.k8s.io: it contains no checksum',
    ],
    [
      'stalls',
      (service) => service.fail(ADDRESS, { kind: 'stall' }, 1),
      'dl.k8s.io: no answer within 500 ms',
    ],
  ])('is that of the mirror, which is told, where its maker %s', async (_, fail, trouble) => {
    const { service, reader, mirror } = await world();
    fail(service);
    expect(await reader(mirror).find(SOURCE)).toEqual({
      digest: MAKERS,
      source: `${service.mirror}/${ADDRESS}`,
      mirrorOnly: expect.stringContaining(trouble),
    });
  });

  it('that a mirror does not have, whose maker did not answer, says where it was looked for, and who did not', async () => {
    const { service, reader, mirror } = await world();
    service.wall('filtered', 'dl.k8s.io');
    service.remove(ADDRESS);
    expect(await reader(mirror).find(SOURCE)).toEqual({
      looked: `${service.mirror}/${ADDRESS} (dl.k8s.io: no answer within 500 ms)`,
      isUnanswered: true,
    });
  });

  describe('that only the API of GitHub tells', () => {
    it.each(['filtered', 'reset'] as const)(
      'is missing soon where files have a mirror and the API has a wall: %s',
      async (wall) => {
        const { service, reader, mirror } = await world();
        service.wall(wall, 'api.github.com');
        expect(await reader(mirror).find(RELEASE_SOURCE)).toEqual({
          looked: expect.stringMatching(/^https:\/\/api\.github\.com\/\S+ \(api\.github\.com: /),
          isUnanswered: true,
        });
      },
    );

    it('is read there where it answers, and asked for again after an answer that may pass', async () => {
      const { service, reader, mirror } = await world();
      service.put(RELEASE_ADDRESS, JSON.stringify({ assets: [{ name: 'components.yaml', digest: MAKERS }] }));
      expect(await reader(mirror).find(RELEASE_SOURCE)).toMatchObject({ digest: MAKERS });
      service.fail(RELEASE_ADDRESS, { kind: 'status', status: 502 }, 1);
      expect(await reader(mirror).find(RELEASE_SOURCE)).toMatchObject({ digest: MAKERS });
    });

    it.each<[string, (service: UpstreamService) => void, RegExp]>([
      [
        'refuses',
        (service) => service.fail(RELEASE_ADDRESS, { kind: 'status', status: 403 }),
        /KEEL_GITHUB_TOKEN/,
      ],
      ['is out of reach', (service) => service.wall('reset', 'api.github.com'), /pinned with "sha256"/],
    ])('fails with what helps where that %s and there is no mirror', async (_, fail, hint) => {
      const { service, reader } = await world();
      fail(service);
      await expect(reader().find(RELEASE_SOURCE)).rejects.toMatchObject({
        hint: expect.stringMatching(hint),
      });
    });
  });

  it('makes nobody wait a second time for a maker that did not answer', async () => {
    const { service, reader, mirror } = await world();
    service.wall('filtered', 'dl.k8s.io');
    const checksums = reader(mirror);
    await checksums.find(SOURCE);
    const asked = service.proxy.asked.length;
    expect(await checksums.find(SOURCE)).toMatchObject({ mirrorOnly: 'dl.k8s.io: no answer within 500 ms' });
    expect(service.proxy.asked.slice(asked)).toEqual([]);
  });

  it('of a host that has no mirror is read there', async () => {
    const { service, reader, asked } = await world();
    const mirror = new UpstreamMirror([parseMirrorEntry(`github.com=${service.mirror}`, 'test')]);
    expect(await reader(mirror).find(SOURCE)).toEqual({ digest: MAKERS, source: SOURCE.url.href });
    expect(asked()).toEqual(['dl.k8s.io']);
  });
});
