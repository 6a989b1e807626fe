import { expect, it } from 'vitest';
import { parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';

const part = (digit: string): string =>
  `{"mediaType":"application/octet-stream","digest":"sha256:${digit.repeat(64)}","size":7}`;
const text = (rest: string): string =>
  `{"schemaVersion":2,"mediaType":"${MEDIA_TYPE.ociManifest}","config":${part('a')},"layers":[${part('b')}]${rest}}`;
const read = (json: string) => parseManifest(Buffer.from(json), undefined, 'a.example/app:v1');

it.each([
  ['a name twice', text(`,"layers":[${part('c')}]`), 'it has "layers" twice'],
  ['a name twice, once with an escape', text(`,"\\u006cayers":[${part('c')}]`), 'it has "layers" twice'],
  [
    'a name in another case',
    text(`,"Layers":[${part('c')}]`),
    'it has "Layers", which programs read in two ways',
  ],
  [
    'a letter that Go takes for another one',
    text(`,"layer\u017f":[${part('c')}]`),
    'which programs read in two ways',
  ],
  ['a digest in another case', text('').replace('"size":7}]', '"size":7,"Digest":"x"}]'), 'it has "Digest"'],
  [
    'a configuration in another case',
    text('').replace('"size":7},', '"size":7,"MEDIATYPE":"x"},'),
    'it has "MEDIATYPE"',
  ],
  ['a byte order mark before it', `\ufeff${text('')}`, 'it starts with a byte order mark'],
])('a manifest that has %s is refused, as programs would read it in two ways', (_, json, message) => {
  expect(() => read(json)).toThrow(
    expect.objectContaining({ code: 'MANIFEST_UNUSABLE', message: expect.stringContaining(message) }),
  );
});

it.each([
  ['an unknown name twice', text(',"x":1,"x":2')],
  ['annotations that differ in case', text(',"annotations":{"a":"1","A":"2"}')],
  ['a name of another level', text(',"digest":"x","Size":1')],
  ['white space', ` \n${text('')}\n `],
])('a manifest that has %s is read', (_, json) => {
  expect(read(json)).toMatchObject({ kind: 'image' });
});

it('very many names cost no more than looking at each once', () => {
  const names = Array.from(
    { length: 50_000 },
    (_, at) => `"name-that-is-rather-long-${'x'.repeat(40)}-${at}":1`,
  );
  expect(read(text(`,${names.join(',')}`))).toMatchObject({ kind: 'image' });
});
