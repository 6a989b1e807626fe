import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imagesCommand } from '../../src/cli/images-command.ts';
import { runSynctl } from '../../src/cli/synctl-dispatch.ts';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { TerminalProcess } from '../support/terminal-process.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;

/** Runs `synctl images` for files with these texts, whose folder is left out of what it prints. */
async function list(texts: Readonly<Record<string, string>>, ...flags: readonly string[]) {
  const folder = scratchFolder();
  const files = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  const { code, out, err } = await run(...files, ...flags);
  const shown = (text: string) => text.replaceAll(`${folder}/`, '');
  return { code, out: shown(out), err: shown(err) };
}

async function run(...line: readonly string[]) {
  const process = new TerminalProcess(['images', ...line]);
  const unused = async () => 'program' as const;
  const code = await runSynctl(process, {
    sync: unused,
    check: unused,
    checkInstallation: unused,
    doctor: unused,
    sum: unused,
    merge: unused,
    images: imagesCommand,
  });
  return { code, out: process.stdout.written, err: process.stderr.written };
}

describe('synctl images', () => {
  it('lists each image with its lines, and ends with the counts', async () => {
    expect(
      await list({ 'a.txt': 'redis:8\nquay.io/a/b:1\nredis:8\nredis:8\n', 'b.txt': 'redis:8\n' }),
    ).toEqual({
      code: 0,
      out:
        'docker.io/library/redis:8  a.txt:1, a.txt:3, a.txt:4 and 1 more\n' +
        'quay.io/a/b:1              a.txt:2\n' +
        '2 images\n',
      err: '',
    });
  });

  it('names what cannot be used with its place, and ends with 1', async () => {
    expect(await list({ 'a.txt': 'nginx\nredis:$TAG\n' })).toEqual({
      code: 1,
      out: 'docker.io/library/nginx:latest  a.txt:1\n1 image and 1 that cannot be used\n',
      err:
        'warning: a.txt:1:1: docker.io/library/nginx:latest: it has no tag, so the tag is latest\n' +
        'error: a.txt:2:1: redis:$TAG: it contains the variable $TAG (replace it with its value, such as with "envsubst < FILE")\n',
    });
  });

  it.each([
    [
      'nginx:1.27',
      ' (images are read from files; to mirror this image: synctl sync nginx:1.27 --push-to HOST)',
    ],
    ['images.txt', ''],
    ['./nginx', ''],
    ['Not an image', ''],
  ])('names the command for %s if it is an image and no such file exists', async (file, hint) => {
    expect(await run(file)).toEqual({
      code: 2,
      out: '',
      err: `error: ${file}: there is no such file${hint}\n`,
    });
  });

  it('prints no empty line if no image is found', async () => {
    const { code, out } = await list({ 'a.yaml': 'image: "{{ tag }}"\n' });
    expect([code, out]).toEqual([1, '0 images and 1 that cannot be used\n']);
  });

  it('prints an image set with --json, and all else to standard error', async () => {
    const { code, out, err } = await list({ 'a.txt': `nginx:1.29\nredis:8@${DIGEST}\n` }, '--json');
    const set = parseImageSet(parseDocument('image_set.json', out));
    expect(set.extras.map(({ value }) => formatReference(value))).toEqual([
      'docker.io/library/nginx:1.29',
      `docker.io/library/redis:8@${DIGEST}`,
    ]);
    expect([code, err]).toEqual([0, '2 images\n']);
  });

  it('ends with 1 where all is uncertain, and with 2 where there is nothing', async () => {
    expect(await list({ 'a.yaml': 'kind: App\nspec:\n  image: nginx\n' })).toEqual({
      code: 1,
      out: '0 images and 1 uncertain; to mirror an uncertain one, add its image to a list\n',
      err: 'warning: a.yaml:3:10: nginx: it is in a field "image" outside of a container\n',
    });
    const nothing = await list({ 'a.yaml': 'kind: Service\n' });
    expect([nothing.code, nothing.err]).toEqual([
      2,
      expect.stringContaining('error: a.yaml: no image was found (use a list'),
    ]);
  });

  it('counts what is more than people read', async () => {
    const { code, err } = await list({ 'a.txt': `nginx:1\n${'redis:$TAG\n'.repeat(150)}` });
    expect([code, err.split('\n').slice(-2)]).toEqual([1, ['error: 50 more that cannot be used', '']]);
  });
});
