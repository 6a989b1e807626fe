import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ComponentCache, type FileKeeper } from '../../src/pack/fetch/component-cache.ts';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { Listener } from '../publish/listener.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const CONTENT = 'a program';
const DIGEST = digestOf(Buffer.from(CONTENT));
const KEY = `keel-component-sha256-${digestHex(DIGEST)}`;
const { signal } = new AbortController();

describe('a component of an earlier run', () => {
  let kept: string;
  let reporter: Listener;

  beforeEach(() => {
    kept = scratchFolder();
    reporter = new Listener();
  });

  function cache(changes: Partial<FileKeeper> = {}): ComponentCache {
    const keeper: FileKeeper = {
      find: async (key) => ((await readdir(kept)).includes(key) ? join(kept, key) : undefined),
      save: async (key, file) => copyFile(file, join(kept, key)),
    };
    return new ComponentCache({ ...keeper, ...changes }, reporter);
  }

  it('is found by its digest', async () => {
    const file = join(scratchFolder(), 'tool');
    await writeFile(file, CONTENT);
    await cache().save(DIGEST, file);
    expect(await cache().find(DIGEST, signal)).toEqual({ file: join(kept, KEY), size: CONTENT.length });
    expect(reporter.warnings).toEqual([]);
  });

  it('is not there', async () => {
    expect(await cache().find(DIGEST, signal)).toBeUndefined();
    expect(reporter.warnings).toEqual([]);
  });

  it('is never looked for by a sha512', async () => {
    const find = (): never => {
      throw new Error('nobody asks');
    };
    expect(await cache({ find }).find(digestOf(Buffer.from(CONTENT), 'sha512'), signal)).toBeUndefined();
    expect(reporter.warnings).toEqual([]);
  });

  it('is not used where it was changed, which is told', async () => {
    await writeFile(join(kept, KEY), 'an evil program');
    expect(await cache().find(DIGEST, signal)).toBeUndefined();
    expect(reporter.warnings).toEqual([expect.stringContaining('was changed after packer stored it')]);
  });

  it('is done without where the cache does not work, which is told', async () => {
    const broken = cache({
      find: () => Promise.reject(new Error('no cache here')),
      save: () => Promise.reject(new Error('no room')),
    });
    expect(await broken.find(DIGEST, signal)).toBeUndefined();
    await broken.save(DIGEST, '/nowhere');
    expect(reporter.warnings).toEqual([
      'cannot read the cache of components: no cache here',
      'cannot store a component for the next run: no room',
    ]);
  });

  it('is not waited for once the run ends', async () => {
    const reason = new Error('stopped');
    const find = () => Promise.reject(new Error('no cache here'));
    await expect(cache({ find }).find(DIGEST, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
