import { describe, expect, it } from 'vitest';
import { type Manifest, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { uniteSignatures } from '../../src/sync/copy/signature-union.ts';
import { digestFor, sampleIndex } from '../support/sample-manifest.ts';

/** What cosign keeps under its tag: a layer for each signature, of the same statement. */
function signatures(...words: readonly string[]): Manifest {
  const descriptor = { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', size: 1 };
  const layers = words.map((word) => ({
    ...descriptor,
    digest: digestFor('statement'),
    annotations: { 'dev.cosignproject.cosign/signature': word },
  }));
  const config = { ...descriptor, digest: digestFor('config') };
  const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers };
  return parseManifest(Buffer.from(JSON.stringify(body)), undefined, 'a sample');
}

const list = (...words: readonly string[]): Manifest => sampleIndex(words.map((word) => ({ word })));

describe('sync only ever adds to what others signed at the destination', () => {
  it.each<[string, Manifest, Manifest]>([
    ['replace', signatures('a'), signatures('a')],
    ['replace', signatures('a', 'b'), signatures('a')],
    ['complete', signatures('a'), signatures('a', 'x')],
    ['apart', signatures('a', 'b'), signatures('a', 'x')],
    ['apart', signatures('a'), signatures('x')],
    ['replace', list('a', 'b'), list('a')],
    ['complete', list('a'), list('x', 'a')],
    ['joined', list('a', 'b'), list('a', 'x')],
    ['apart', list('a'), signatures('a')],
    ['apart', signatures('a'), list('a')],
  ])('%s', (kind, ours, theirs) => {
    expect(uniteSignatures(ours, theirs, 'e.org/a').kind).toBe(kind);
  });

  it('by joining lists: the entries of the source, then those of others', () => {
    const union = uniteSignatures(list('a', 'b'), list('a', 'x', 'y'), 'e.org/a');
    if (union.kind !== 'joined') throw new Error(union.kind);
    expect([...union.theirs]).toEqual([digestFor('x'), digestFor('y')]);
    const { manifest } = union;
    expect(manifest.kind === 'index' && manifest.manifests.map(({ digest }) => digest)).toEqual(
      ['a', 'b', 'x', 'y'].map(digestFor),
    );
  });
});
