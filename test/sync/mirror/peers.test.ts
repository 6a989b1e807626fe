import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestOf } from '../../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import { parsePlatform } from '../../../src/registry/oci/platform.ts';
import type { Access } from '../../support/docker-registry.ts';
import { type Image, ImageMaker, makeSignature } from '../../support/images/image.ts';
import { PlainPush } from '../../support/images/push.ts';
import { describeWith } from '../../support/programs.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { copyToFolder, inspectArchitecture, inspectManifest } from '../../support/skopeo.ts';
import { outcomes, SyncRoute } from '../../support/sync-run.ts';
import { LOGIN } from '../../support/token-server.ts';
import { ALL, base, MIRRORED, own, platforms, SET, world } from './world.ts';

describeWith(['docker-registry', 'skopeo'], 'mirroring between two registries of Debian', () => {
  it.each<Access>(['htpasswd', 'token'])('is whole in the eyes of skopeo (%s)', async (access) => {
    await using all = await world(access);
    const { route, images, to, login } = all;
    const { report, lines } = await route.run();
    expect(outcomes(report)).toEqual(ALL('copied'));
    expect(lines).toHaveLength(4);
    for (const [source, name] of MIRRORED) {
      const reference = `${to.host}/keel/${name}`;
      const image = images.get(source);
      expect((await inspectManifest({ reference, login })).digest).toBe(image?.digest);
      const copy = join(scratchFolder(), 'copy');
      expect((await copyToFolder({ reference, login }, copy)).digest).toBe(image?.digest);
    }
    const coredns = { reference: `${to.host}/keel/coredns:v1.14.2`, login };
    expect(await inspectArchitecture(coredns, 's390x')).toBe('s390x');
  });

  it('brings a build cache, whose index lists layers', async () => {
    await using all = await world();
    const [layer, config] = ['layer', 'config'].map((text) => Buffer.from(text.repeat(100)));
    if (layer === undefined || config === undefined) throw new Error('two of two');
    const types = ['application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.buildkit.cacheconfig.v0'];
    const manifests = [layer, config].map((bytes, position) => ({
      mediaType: types[position],
      digest: digestOf(bytes),
      size: bytes.length,
    }));
    const mediaType = MEDIA_TYPE.ociIndex;
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    const digest = digestOf(bytes);
    const blobs = new Map([layer, config].map((blob) => [digestOf(blob), blob]));
    await new PlainPush(all.from).push('cache', 'v1', { digest, mediaType, bytes, children: [], blobs });
    all.route.wants({ names: ['cache'] });
    const { report } = await all.route.run({ platforms: [parsePlatform('linux/amd64', 'test')] });
    expect(outcomes(report)).toEqual({ 'cache:v1': 'copied' });
    expect(await all.destination.digestOf('keel/cache', 'v1')).toBe(digest);
    for (const blob of blobs.keys()) expect(await all.destination.holds('keel/cache', blob)).toBe(true);
  });

  it('is done by synctl as well, which leaves no password behind', async () => {
    await using all = await world('token');
    const sync = all.route.start('--json');
    const { code, told } = await sync.end();
    expect(code).toBe(0);
    expect(outcomes(sync.report)).toEqual(ALL('copied'));
    const left = [told, readFileSync(all.route.database, 'latin1'), JSON.stringify(sync.report)].join();
    expect(left).not.toContain(LOGIN.password);
    // A token a repository and set of actions, and not one a request.
    const asked = all.to.tokens?.asked.length ?? 0;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(20);
  });

  it('says which password was refused, before anything is fetched', async () => {
    await using all = await world('htpasswd');
    await expect(all.route.run({ password: 'wrong' })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(all.proxy.writes).toEqual([]);
    expect(all.source.count({ path: /\/(?:blobs|manifests)\// })).toBe(0);
  });

  it('fetches each blob once, however many images and repositories share it', async () => {
    await using all = await world();
    await all.route.run();
    const fetched = all.source
      .filter({ method: 'GET', path: /\/blobs\// })
      .map(({ path }) => path.split('/').at(-1));
    const existing = new Set(
      [...all.images].flatMap(([name, { blobs }]) => (name.includes('.sig') ? [] : [...blobs.keys()])),
    );
    expect(fetched.toSorted()).toEqual([...existing].toSorted());
    expect(all.proxy.count({ method: 'PUT', path: /\/uploads\// })).toBe(existing.size);
  });

  it('asks and writes nothing more in a second run', async () => {
    await using all = await world('htpasswd');
    const { route, source, proxy } = all;
    await route.run();
    source.clear();
    proxy.clear();
    // What the sample asks for besides depends on the day.
    const { report } = await route.run({ verify: 'none' });
    expect(outcomes(report)).toEqual(ALL('checked'));
    expect(report.stateRestored).toBe(true);
    expect(proxy.writes).toEqual([]);
    // A ping, a listing a repository, and as these sources list no digests, a HEAD a tag on both sides.
    expect(source.count({ method: 'GET' })).toBe(1 + SET.names.length);
    expect(source.count({ method: 'HEAD' })).toBe(MIRRORED.length);
    expect(proxy.count({ method: 'HEAD', path: /\/manifests\// })).toBe(MIRRORED.length);
    expect(proxy.count({ method: 'GET', path: /\/tags\/list$/ })).toBe(SET.names.length);
  });

  it('copies only the tag that changed, and only what is new of it', async () => {
    await using all = await world();
    const { route, from, source, proxy, destination } = all;
    await route.run();
    const changed = await new ImageMaker().make({ layers: [base], own: own('coredns-14-again'), platforms });
    await new PlainPush(from).push('coredns/coredns', 'v1.14.2', changed);
    source.clear();
    proxy.clear();
    const { report } = await route.run();
    expect(outcomes(report)).toEqual({ ...ALL('checked'), 'coredns:v1.14.2': 'copied' });
    expect(await destination.digestOf('keel/coredns', 'v1.14.2')).toBe(changed.digest);
    // Three platforms with a layer and a configuration of their own; the base is there. Of one, when it was made.
    expect(source.count({ method: 'GET', path: /\/blobs\// })).toBe(7);
    expect(
      proxy
        .filter({ method: 'PUT', path: /\/manifests\// })
        .map(({ path }) => path.split('/').at(-1))
        .at(-1),
    ).toBe('v1.14.2');
    expect(proxy.count({ method: 'PUT', path: /\/manifests\// })).toBe(4);
  });

  it('puts back what someone deleted or overwrote at the destination', async () => {
    await using all = await world();
    const { route, destination, images } = all;
    await route.run();
    const wanted = (name: string): Image => {
      const image = images.get(name);
      if (image === undefined) throw new Error(`there is no ${name}`);
      return image;
    };
    await destination.remove('keel/pause', wanted('pause:3.10').digest);
    const other = await new ImageMaker().make({ layers: [{ name: 'other', size: 10 }] });
    await destination.push('keel/coredns', 'v1.13.1', other);
    const { report } = await route.run();
    expect(outcomes(report)).toEqual({
      ...ALL('checked'),
      'pause:3.10': 'copied',
      'coredns:v1.13.1': 'copied',
    });
    expect(await destination.digestOf('keel/pause', '3.10')).toBe(wanted('pause:3.10').digest);
    expect(await destination.digestOf('keel/coredns', 'v1.13.1')).toBe(
      wanted('coredns/coredns:v1.13.1').digest,
    );
  });

  it('sends nothing again when the state is lost', async () => {
    await using all = await world();
    const { route, proxy, source, from, to } = all;
    await route.run();
    source.clear();
    proxy.clear();
    const destination = { host: proxy.host, login: to.login };
    const { report } = await new SyncRoute({ source, destination, set: SET }).run();
    expect(from.host).not.toBe(to.host);
    expect(report.stateRestored).toBe(false);
    expect(outcomes(report)).toEqual(ALL('checked'));
    expect(proxy.writes).toEqual([]);
    expect(source.count({ path: /\/blobs\// })).toBe(0);
  });

  it('mirrors some platforms as an index of its own, and finds it unchanged the next time', async () => {
    await using all = await world();
    const { route, to, proxy, images } = all;
    const chosen = [{ os: 'linux', architecture: 'arm64' }];
    await route.run({ platforms: chosen });
    const { text, digest } = await inspectManifest({ reference: `${to.host}/keel/coredns:v1.14.2` });
    const index: { manifests: { digest: string; platform: { architecture: string } }[] } = JSON.parse(text);
    expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(['arm64']);
    const original = images.get('coredns/coredns:v1.14.2');
    expect(original?.children.map((child) => String(child.digest))).toContain(index.manifests[0]?.digest);
    expect(digest).not.toBe(original?.digest);
    expect(await inspectArchitecture({ reference: `${to.host}/keel/coredns:v1.14.2` }, 'arm64')).toBe(
      'arm64',
    );
    proxy.clear();
    const { report } = await route.run({ platforms: chosen });
    expect(outcomes(report)).toEqual(ALL('checked'));
    expect(proxy.writes).toEqual([]);
  });

  it('copies signatures with their images when asked to, and never as tags of their own', async () => {
    await using all = await world();
    const { route, destination, images } = all;
    await route.run();
    expect(await destination.tags('keel/pause')).toEqual(['3.10']);
    const { report } = await route.run({ signatures: 'copy' });
    const digest = images.get('pause:3.10')?.digest;
    if (digest === undefined) throw new Error('there is no pause');
    const { tag, image } = makeSignature(digest);
    expect(outcomes(report)).toEqual({ ...ALL('checked'), [`pause:${tag}`]: 'copied' });
    expect(await destination.digestOf('keel/pause', tag)).toBe(image.digest);
  });

  it('writes nothing at all in a dry run, not even a state file', async () => {
    await using all = await world();
    const { route, proxy, destination } = all;
    const { report } = await route.run({ dryRun: true });
    expect(outcomes(report)).toEqual(ALL('copied'));
    expect(proxy.writes).toEqual([]);
    expect(route.hasState()).toBe(false);
    expect(await destination.tags('keel/pause')).toEqual([]);
  });

  it('covers all images exactly once in two shards', async () => {
    await using all = await world();
    const { source, proxy, to } = all;
    const route = () =>
      new SyncRoute({ source, destination: { host: proxy.host, login: to.login }, set: SET });
    const { report: one } = await route().run({ shard: { index: 1, count: 2 } });
    const { report: other } = await route().run({ shard: { index: 2, count: 2 } });
    const names = [one, other].flatMap((report) => Object.keys(outcomes(report)));
    expect(names.toSorted()).toEqual(MIRRORED.map(([, name]) => name).toSorted());
    expect([...one.images, ...other.images].map(({ outcome }) => outcome)).toEqual(
      MIRRORED.map(() => 'copied'),
    );
  });
});
