import { describe, expect, it } from 'vitest';
import type { MirroredImage } from '../../src/sync/copy/mirrored-image.ts';
import { RepositoryTally } from '../../src/sync/run/repository-tally.ts';
import type { RepositoryNews } from '../../src/sync/state/state.ts';
import { plannedImage, recordedImage } from '../support/planned-image.ts';
import { digestFor } from '../support/sample-manifest.ts';

type News = Omit<RepositoryNews, 'blobs'>;

const facts = {
  sourceDigest: digestFor('pause'),
  pushedDigest: digestFor('pause'),
  conversion: undefined,
  layersLeftOut: 0,
  digests: [],
};
const copied: MirroredImage = {
  ...facts,
  outcome: 'copied',
  size: 2000,
  bytesSent: 500,
  blobs: { uploaded: 1, mounted: 0, present: 0 },
  replaced: undefined,
  missing: [],
};
const unchanged: MirroredImage = { ...facts, outcome: 'unchanged' };

function written(work: (tally: RepositoryTally) => void, expected = 1): News[] {
  const news: News[] = [];
  const tally = new RepositoryTally((some) => news.push(some));
  tally.expect(expected);
  work(tally);
  return news;
}

describe('the state learns of a repository', () => {
  it('when all that is expected has ended, at once', () => {
    const news = written((tally) => {
      tally.worked(plannedImage(), copied);
      tally.failed(plannedImage(), 'DENIED');
    }, 2);
    expect(news).toMatchObject([
      { images: [{ tag: '3.10', bytes: 2000, options: '' }], failures: [{ tag: '3.10', code: 'DENIED' }] },
    ]);
  });

  it('in parts of a hundred while more is expected, and the rest at the end', () => {
    const news: News[] = [];
    const tally = new RepositoryTally((some) => news.push(some));
    tally.expect(1000);
    for (let count = 0; count < 150; count += 1) tally.worked(plannedImage(), copied);
    expect(news.map(({ images = [] }) => images.length)).toEqual([100]);
    tally.flush();
    tally.flush();
    expect(news.map(({ images = [] }) => images.length)).toEqual([100, 50]);
  });

  it.each<[string, Partial<News>, Parameters<typeof recordedImage>[0], MirroredImage]>([
    ['only the time of what it knew', { images: [], confirmed: [plannedImage().target.tag] }, {}, unchanged],
    [
      'what it did not know as it was found',
      { confirmed: [] },
      { pushedDigest: digestFor('other') },
      unchanged,
    ],
    [
      'other settings of an image that is the same',
      { confirmed: [] },
      { options: 'platforms=a/b' },
      unchanged,
    ],
  ])('%s', (_, news, recorded, result) => {
    const image = plannedImage({ recorded: recordedImage(recorded) });
    expect(written((tally) => tally.worked(image, result))).toMatchObject([news]);
  });

  it('not that an image lost its size, where it turned out to be there', () => {
    const image = plannedImage({ recorded: recordedImage({ options: 'platforms=a/b' }) });
    const [news] = written((tally) => tally.worked(image, unchanged));
    expect(news?.images).toMatchObject([{ bytes: 1000, options: '' }]);
  });

  const { pushed: earlier } = recordedImage();
  const other = { pushedDigest: digestFor('other') };
  it.each<[string, object, MirroredImage, object]>([
    ['pushed by it', {}, copied, { bytes: 2000, pushed: undefined }],
    [
      'repaired by it, with the size that is known',
      {},
      { ...copied, size: undefined },
      { bytes: 1000, pushed: undefined },
    ],
    [
      'pushed in part over another, without a size',
      { recorded: recordedImage(other) },
      { ...copied, size: undefined },
      { bytes: 0, pushed: undefined },
    ],
    [
      'found again with other facts',
      { recorded: recordedImage({ options: 'platforms=a/b' }) },
      unchanged,
      { bytes: 1000, pushed: earlier },
    ],
    ['found though the state was lost', { recorded: undefined }, unchanged, { bytes: 0, pushed: 'unknown' }],
    [
      'found instead of another',
      { recorded: recordedImage(other) },
      unchanged,
      { bytes: 0, pushed: 'unknown' },
    ],
  ])('the size of an image and the time of its push, if it was %s', (_, more, result, expected) => {
    const image = plannedImage({ recorded: recordedImage(), ...more });
    const [news] = written((tally) => tally.worked(image, result));
    expect(news?.images).toMatchObject([expected]);
  });
});
