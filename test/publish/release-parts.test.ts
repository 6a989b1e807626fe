import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isPartOf, PART_SIZE, planParts } from '../../src/publish/release/release-parts.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';
const calm = new AbortController().signal;

describe('the parts of a package', () => {
  it.each([
    [0, [[NAME, 0, 0]]],
    [100, [[NAME, 0, 100]]],
    [
      101,
      [
        [`${NAME}.part000`, 0, 100],
        [`${NAME}.part001`, 100, 101],
      ],
    ],
    [
      200,
      [
        [`${NAME}.part000`, 0, 100],
        [`${NAME}.part001`, 100, 200],
      ],
    ],
    [
      250,
      [
        [`${NAME}.part000`, 0, 100],
        [`${NAME}.part001`, 100, 200],
        [`${NAME}.part002`, 200, 250],
      ],
    ],
  ] as const)('of %i bytes, 100 each, are %j', async (size, expected) => {
    await using fixture = await PackageFixture.write(NAME, size);
    const parts = await planParts(fixture.file, 100, calm);
    expect(parts.map(({ name, start, end }) => [name, start, end])).toEqual(expected);
    for (const { start, end, sha256 } of parts) {
      const hash = createHash('sha256').update(fixture.content.subarray(start, end)).digest('hex');
      expect(sha256).toBe(`sha256:${hash}`);
    }
  });

  it('are smaller than what GitHub takes', () => {
    expect(PART_SIZE).toBeLessThan(2 ** 31);
  });

  it('are not made of a file that changed', async () => {
    await using fixture = await PackageFixture.write(NAME, 200);
    await writeFile(fixture.file.path, Buffer.alloc(200));
    await expect(planParts(fixture.file, 100, calm)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it('are given up for the reason of an abort', async () => {
    await using fixture = await PackageFixture.write(NAME, 200);
    const reason = new Error('stopped');
    await expect(planParts(fixture.file, 100, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

it.each([
  [NAME, true],
  [`${NAME}.part012`, true],
  [`${NAME}.parts.json`, true],
  [`${NAME}.sig`, false],
  ['kube-1.36.2-amd64-beta.tar.gz', false],
])('%s belongs to the package: %s', (name, expected) => {
  expect(isPartOf(NAME, name)).toBe(expected);
});
