import { describe, expect, it } from 'vitest';
import { readBaseImage } from '../../src/publish/registry/base-image.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseReference } from '../../src/registry/oci/reference.ts';
import { ImageMaker, type ImageRecipe } from '../support/images/image.ts';
import { PlainPush } from '../support/images/push.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const calm = new AbortController().signal;

/** Reads busybox:stable as it is made, for an architecture. */
async function readBusybox(recipe: ImageRecipe, architecture: string, tag = ':stable') {
  await using server = await startRegistry();
  using client = new TestClient(server.host);
  await new PlainPush(server).push('library/busybox', 'stable', await new ImageMaker().make(recipe));
  const reference = parseReference(`${server.host}/library/busybox${tag}`);
  return await readBaseImage({ registry: client.registry, reference, architecture }, calm);
}

describe('the image below a package', () => {
  it('is the one of the architecture in an index', async () => {
    const platforms = ['linux/amd64', 'linux/arm64/v8', 'windows/amd64'];
    const amd64 = await readBusybox({ platforms }, 'amd64');
    const arm64 = await readBusybox({ platforms }, 'arm64');
    expect(amd64.config).toMatchObject({ os: 'linux', architecture: 'amd64' });
    expect(arm64.config).toMatchObject({ os: 'linux', architecture: 'arm64' });
  });

  it('is taken as it is where there is no index, with layers that can be had from there', async () => {
    const base = await readBusybox({ layers: [{ name: 'a', size: 100 }] }, 'arm64');
    expect(base.config).toMatchObject({ architecture: 'amd64' });
    expect(base.layers).toHaveLength(1);
    expect(base.source.about).toBe(`${base.reference.host}/library/busybox`);
  });

  it('has to be there for the architecture', async () => {
    await expect(readBusybox({ platforms: ['linux/amd64'] }, 's390x')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'it has no image for linux/s390x',
    });
  });

  it('has to be there', async () => {
    await expect(readBusybox({}, 'amd64', ':other')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(readBusybox({}, 'amd64', `@${digestOf(Buffer.from('x'))}`)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
