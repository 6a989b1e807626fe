import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseMirrorEntry, UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { NEWER_PATCH, NEXT, NEXT_RELEASE } from '../support/upstream/releases.ts';
import { UpstreamService } from '../support/upstream/upstream-service.ts';
import { upstreamFor } from './asking.ts';

const { signal } = new AbortController();
const VERSION = parseKubernetesVersion(NEXT, 'a test');
const PROGRAM = `dl.k8s.io/release/v${NEXT}/bin/linux/amd64/kubeadm`;

let service: UpstreamService;
beforeEach(async () => {
  service = await UpstreamService.start();
  service.fail('raw.githubusercontent.com', { kind: 'status', status: 404 });
});
afterEach(() => service[Symbol.asyncDispose]());

/** Serves a shell script as kubeadm, with its checksum. */
function serve(script: string): void {
  service.putSummed(PROGRAM, `#!/bin/sh\n${script}\n`);
}

/** Asks as where only kubeadm itself can be had. Returns what it said, or why it could not be asked. */
async function ask(choices: Parameters<typeof upstreamFor>[1] = {}): Promise<string | undefined> {
  const folder = scratchFolder();
  const place = { platform: 'linux', machine: 'x64', folder, ...choices.place };
  const { found, troubles } = await upstreamFor(service, { ...choices, place }).kubeadmTags(VERSION, signal);
  expect(readdirSync(folder), 'what is left of it').toEqual([]);
  return found?.origin ?? troubles.at(-1);
}

describe('kubeadm itself', () => {
  it('is asked where the constants cannot be had', async () => {
    expect(await ask()).toBe(`kubeadm ${NEXT}`);
  });

  it('removes what a killed run left, and nothing that is younger or of others', async () => {
    const folder = scratchFolder();
    for (const name of ['keel-kubeadm-old', 'keel-kubeadm-new', 'other-old']) mkdirSync(join(folder, name));
    const before = new Date(Date.now() - 2 * 3_600_000);
    for (const name of ['keel-kubeadm-old', 'other-old']) utimesSync(join(folder, name), before, before);
    const place = { platform: 'linux', machine: 'x64', folder };
    await upstreamFor(service, { place }).kubeadmTags(VERSION, signal);
    expect(readdirSync(folder).toSorted()).toEqual(['keel-kubeadm-new', 'other-old']);
  });

  it('sees no variable of this process', async () => {
    serve('test "$(set | grep -c "^HTTPS_PROXY=")" = 0 || exit 9; exit 7');
    expect(await ask()).toBe(`kubeadm ${NEXT} itself: it failed with exit code 7`);
  });

  it.each([
    ['fails', 'exit 1', 'it failed with exit code 1'],
    ['ends by a signal', 'kill -9 $$', 'it was terminated'],
    [
      'writes without end',
      `while :; do echo registry.k8s.io/etcd:${NEXT_RELEASE.etcd}; done`,
      'it printed too much output',
    ],
    ['lists no etcd', `echo registry.k8s.io/kube-apiserver:v${NEXT}`, 'it contains no etcd'],
    ['is of another version', `echo registry.k8s.io/kube-apiserver:v${NEWER_PATCH}`, `it is not for ${NEXT}`],
  ])('is not believed if it %s', async (_, script, why) => {
    serve(script);
    expect(await ask()).toBe(`kubeadm ${NEXT} itself: ${why}`);
  });

  it('is not run if its bytes are not those of its checksum', async () => {
    const folder = scratchFolder();
    service.put(PROGRAM, `#!/bin/sh\ntouch ${folder}/ran\n`);
    expect(await ask()).toMatch(/^kubeadm 1\.\d+\.0 itself: .*expected sha256:[0-9a-f]{64}, got sha256:/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['is absent', undefined, /no checksum for it at https:\/\/dl\.k8s\.io\/.*\.sha256$/],
    ['is a page', '<!DOCTYPE html>', /it contains no checksum$/],
  ])('is not fetched if its checksum %s', async (_, content, why) => {
    if (content === undefined) service.remove(`${PROGRAM}.sha256`);
    else service.put(`${PROGRAM}.sha256`, content);
    expect(await ask()).toMatch(why);
    expect(service.asked()).not.toContain(PROGRAM);
  });

  it('is not waited for without end while it trickles', async () => {
    await using slow = await UpstreamService.start(undefined, { hasGateway: true });
    slow.fail('raw.githubusercontent.com', { kind: 'status', status: 404 });
    const fault = { kind: 'trickle', bytesPerSecond: 40 } as const;
    slow.gateway.fail({ match: { path: /\/kubeadm$/ }, times: Number.POSITIVE_INFINITY, fault });
    const place = { platform: 'linux', machine: 'x64', folder: scratchFolder(), patience: milliseconds(100) };
    const { troubles } = await upstreamFor(slow, { place }).kubeadmTags(VERSION, signal);
    expect(troubles.at(-1)).toBe(`kubeadm ${NEXT} itself: the download did not finish within 100 ms`);
    expect(readdirSync(place.folder)).toEqual([]);
  });

  it('of a mirror is not run unless its maker vouches for it', async () => {
    const mirror = new UpstreamMirror([parseMirrorEntry(service.mirror, 'a test')]);
    expect(await ask({ mirror })).toBe(`kubeadm ${NEXT}`);
    service.wall('reset', 'dl.k8s.io');
    expect(await ask({ mirror })).toMatch(/^kubeadm 1\.\d+\.0 itself: dl\.k8s\.io: /);
  });

  it.each([
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'riscv64'],
  ])('is not fetched on %s on %s', async (platform, machine) => {
    expect(await ask({ place: { platform, machine } })).toBe(
      `kubeadm ${NEXT} itself: there is none for ${platform} on ${machine}`,
    );
    expect(service.asked().filter((address) => address.startsWith('dl.k8s.io'))).toEqual([]);
  });

  it('is not fetched where signatures are required', async () => {
    expect(await ask({ verifySignatures: 'require' })).toBe(
      `kubeadm ${NEXT} itself: signatures are required but cannot be verified for kubeadm, so it does not run`,
    );
    expect(service.asked().filter((address) => address.startsWith('dl.k8s.io'))).toEqual([]);
  });

  it('is not fetched where there is no place for it', async () => {
    const folder = `${scratchFolder()}/absent`;
    const upstream = upstreamFor(service, { place: { platform: 'linux', machine: 'x64', folder } });
    const { troubles } = await upstream.kubeadmTags(VERSION, signal);
    expect(troubles.at(-1)).toBe(
      `kubeadm ${NEXT} itself: cannot create a folder for it in ${folder} (ENOENT)`,
    );
  });
});
