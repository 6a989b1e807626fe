import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import {
  NEWER_PATCH,
  NEWEST,
  NEWEST_MINOR,
  NEXT,
  NEXT_CANDIDATE,
  SECOND_NEXT_MINOR,
} from '../support/upstream/releases.ts';
import { type UpstreamFault, UpstreamService } from '../support/upstream/upstream-service.ts';
import { upstreamFor } from './asking.ts';

const { signal } = new AbortController();
const RELEASES_MD = 'raw.githubusercontent.com/containerd/containerd/main/RELEASES.md';
const PAGE: UpstreamFault = { kind: 'content', content: '<!DOCTYPE html><html>' };

let service: UpstreamService;
beforeEach(async () => {
  service = await UpstreamService.start();
});
afterEach(() => service[Symbol.asyncDispose]());

/** Returns what goes with a version, as `name tag, origin`, and who was asked in vain. */
async function ask(
  version: string,
  choices: Parameters<typeof upstreamFor>[1] = {},
): Promise<{ readonly found: readonly string[]; readonly troubles: readonly string[] }> {
  const asked = parseKubernetesVersion(version, 'a test');
  const { found, troubles } = await upstreamFor(service, choices).components(asked, signal);
  return {
    found: found.map(({ name, tag, origin }) => `${name} ${tag}, ${origin}`),
    troubles: [...new Set([...troubles.values()].flat())],
  };
}

describe('the components that go with a version', () => {
  it('are the newest that upstream names, each with who said it', async () => {
    expect(await ask(NEWER_PATCH)).toEqual({
      found: [
        `containerd ${NEWEST.containerd}, containerd's RELEASES.md`,
        `runc ${NEWEST.runc}, containerd ${NEWEST.containerd}`,
        `crictl 1.${NEWEST_MINOR}.1, releases of cri-tools`,
        `cni-plugins ${NEWEST.cniPlugins}, releases/latest of plugins`,
      ],
      troubles: [],
    });
  });

  it('are those of the newest minor that upstream lists, for one that it does not list yet', async () => {
    const { found, troubles } = await ask(NEXT);
    expect(found[0]).toBe(
      `containerd ${NEWEST.containerd}, containerd's RELEASES.md for Kubernetes 1.${NEWEST_MINOR}`,
    );
    expect(found[2]).toBe(`crictl ${NEWEST.crictl}, releases/latest of cri-tools`);
    expect(troubles).toEqual([]);
  });

  it('are asked without the API of GitHub, which counts questions', async () => {
    await ask(NEXT, { githubToken: 'a-token' });
    expect(service.asked().filter((address) => address.startsWith('api.github.com'))).toEqual([]);
  });

  it('have the newest patch that upstream names where the newest release is none of these', async () => {
    service.latest('containerd/containerd', 'v2.2.7');
    const { found } = await ask(NEWER_PATCH);
    expect(found.slice(0, 2)).toEqual([
      `containerd ${NEWEST.containerd}, containerd's RELEASES.md`,
      `runc ${NEWEST.runc}, containerd ${NEWEST.containerd}`,
    ]);
  });

  it('have the newest patch of an older line where the newest line is not out yet', async () => {
    service.latest('containerd/containerd', 'v2.2.7');
    service.replace(RELEASES_MD, '2.4.0+, 2.3.4+', '2.5.0+, 2.3.4+');
    const { found } = await ask(NEWER_PATCH);
    expect(found[0]).toBe("containerd 2.3.5, containerd's RELEASES.md");
  });

  it.each<[string, UpstreamFault, string]>([
    ['is a page', PAGE, 'its table of Kubernetes versions has an unknown format'],
    ['moved', { kind: 'status', status: 404 }, 'there is no such file'],
  ])('have the newest containerd if RELEASES.md %s, which is told', async (_, fault, why) => {
    service.fail(RELEASES_MD, fault);
    const { found, troubles } = await ask(NEXT);
    expect(found[0]).toBe(`containerd ${NEWEST.containerd}, releases/latest of containerd`);
    expect(troubles).toEqual([`containerd's RELEASES.md: ${why}`]);
  });

  it('have no containerd of which nobody says that it goes with an old Kubernetes', async () => {
    expect(await ask('1.30.5')).toMatchObject({
      found: [expect.stringMatching(/^cni-plugins /)],
      troubles: [
        "containerd's RELEASES.md: it does not mention Kubernetes 1.30",
        'crictl: there is no 1.30 yet',
      ],
    });
  });

  it('have no runc if that of containerd is a commit, which is told', async () => {
    const path = `containerd/containerd/v${NEWEST.containerd}/script/setup/runc-version`;
    service.put(`raw.githubusercontent.com/${path}`, '0079bee17f125565af67b213cb2b5622b090930e\n');
    const { found, troubles } = await ask(NEXT);
    expect(found.filter((each) => each.startsWith('runc'))).toEqual([]);
    expect(troubles).toEqual([
      `the runc of containerd ${NEWEST.containerd}: its content is not a stable version`,
    ]);
  });

  it('have the crictl of an older minor where there is none yet, which is told', async () => {
    const { found, troubles } = await ask(NEXT_CANDIDATE);
    expect(found[2]).toBe(`crictl ${NEWEST.crictl}, releases/latest of cri-tools`);
    expect(troubles).toEqual([
      `crictl: there is no 1.${SECOND_NEXT_MINOR} yet, so packer uses ${NEWEST.crictl}`,
    ]);
  });

  it.each<[string, UpstreamFault]>([
    ['a page', PAGE],
    ['a redirect to a page elsewhere', { kind: 'redirect', to: 'https://elsewhere.test/login' }],
    [
      'a redirect to a pre-release',
      { kind: 'redirect', to: 'https://github.com/x/y/releases/tag/v2.5.0-rc.1' },
    ],
    ['a redirect to plain HTTP', { kind: 'redirect', to: 'http://github.com/x/y/releases/tag/v9.9.9' }],
    ['a reset', { kind: 'reset' }],
    ['silence', { kind: 'silence' }],
    ['status 500', { kind: 'status', status: 500 }],
  ])('are missing, and told, where releases/latest is %s', async (_, fault) => {
    service.fail('github.com/containernetworking/plugins/releases/latest', fault);
    const { found, troubles } = await ask(NEXT);
    expect(found.filter((each) => each.startsWith('cni-plugins'))).toEqual([]);
    expect(troubles.find((trouble) => trouble.startsWith('releases/latest of plugins: '))).toBeDefined();
  });

  it('come from the API of GitHub where releases/latest cannot be had and there is a token', async () => {
    service.fail('github.com/containernetworking/plugins/releases/latest', { kind: 'status', status: 500 });
    const { found, troubles } = await ask(NEXT, { githubToken: 'a-token' });
    expect(found[3]).toBe(`cni-plugins ${NEWEST.cniPlugins}, releases/latest of plugins`);
    expect(troubles).toHaveLength(1);
  });

  it.each([PAGE, { kind: 'content', content: `{"tag_name":["v${NEWEST.cniPlugins}"]}` }] as const)(
    'are missing where that API answers $content',
    async (fault) => {
      service.fail('github.com/containernetworking/plugins/releases/latest', { kind: 'status', status: 500 });
      service.fail('api.github.com', fault);
      const { troubles } = await ask(NEXT, { githubToken: 'a-token' });
      expect(troubles.at(-1)).toMatch(/^releases\/latest of plugins, by GitHub's API: .* is not a release$/);
    },
  );

  it.each(['filtered', 'reset'] as const)(
    'are unknown where all hosts are %s, which takes moments',
    async (wall) => {
      service.wall(wall);
      const { found, troubles } = await ask(NEXT);
      expect(found).toEqual([]);
      expect(troubles.length).toBeGreaterThan(0);
    },
  );
});
