import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readGivenImages } from '../../../src/config/images/given-images.ts';
import { describeFailure } from '../../../src/lib/failure.ts';
import { formatReference } from '../../../src/registry/oci/reference.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

/** Reads files with these contents, whose names are `1.txt`, `2.txt` and so on. */
async function read(...contents: readonly string[]) {
  const folder = scratchFolder();
  const files = contents.map((content, index) => {
    const file = join(folder, `${index + 1}.txt`);
    writeFileSync(file, content);
    return file;
  });
  const plain = (text: string): string => text.replaceAll(`${folder}/`, '');
  try {
    const { images, notices } = await readGivenImages({ images: [], files }, new AbortController().signal);
    return {
      images: images.map(({ reference }) => formatReference(reference)),
      notices: notices.map(({ message }) => plain(message)),
    };
  } catch (error) {
    return plain(describeFailure(error));
  }
}

test('images of several files are taken once', async () => {
  expect(await read('nginx:1.29\nquay.io/a/b:1\n', '# more\nnginx:1.29\nredis:8\n')).toEqual({
    images: ['docker.io/library/nginx:1.29', 'quay.io/a/b:1', 'docker.io/library/redis:8'],
    notices: [],
  });
});

test('a file without an image is no fault beside one that has some, and a list of nothing is one', async () => {
  expect(await read('nginx:1.29\n', '# none\n')).toMatchObject({ images: ['docker.io/library/nginx:1.29'] });
  expect(await read('# none\n\n')).toBe(
    '1.txt: no image was found (use a list with one image per line, Kubernetes YAML or a compose file)',
  );
});

test('what cannot be used is told with its places, all at once', async () => {
  const told = await read('nginx:1.29\nquay.io/a/$NAME:1\n', 'registry.example.com/A:1\n');
  expect(told).toMatch(
    /2 problems\n {2}1\.txt:2:1: quay\.io\/a\/\$NAME:1: it contains the variable \$NAME .*\n {2}2\.txt:1:1: registry\.example\.com\/A:1: "A" cannot be part of a repository name/,
  );
});

test('of many images without a tag, a few are told by name', async () => {
  const names = Array.from({ length: 500 }, (_, index) => `quay.io/a/image-${index}`);
  const found = await read(`${names.join('\n')}\n`);
  expect(found).toMatchObject({ notices: { length: 6 } });
  expect(found).toMatchObject({
    notices: expect.arrayContaining([
      'quay.io/a/image-0:latest: it has no tag, so the tag is latest',
      '495 more notices of this kind; synctl images 1.txt prints all',
    ]),
  });
});
