import { describe, expect, it } from 'vitest';
import {
  imagesInManifest,
  imagesInValues,
  imagesOfOperator,
  listOf,
} from '../../../scripts/tables/cni-lists.ts';
import { CNI_TABLE } from '../../../src/config/kubernetes/cni-image-table.ts';
import { networkLists } from '../../support/upstream/network-lists.ts';

const LISTS = networkLists(CNI_TABLE);
const names = (images: readonly { readonly image: string; readonly tag: string }[]): string[] =>
  images.map(({ image, tag }) => `${image}:${tag}`);

function file(path: string): string {
  const found = [...LISTS].find(([address]) => address.endsWith(path));
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found[1];
}

describe('the images of a manifest', () => {
  it('are each read once, in any place of a container, quoted or not', () => {
    const text = `
containers:
  - image: "quay.io/calico/node:v3.32.1"
    name: a
  - name: b
    image: quay.io/calico/cni:v3.32.1   # comment
initContainers:
- image: 'quay.io/calico/node:v3.32.1'
`;
    expect(names(imagesInManifest(text))).toEqual([
      'quay.io/calico/node:v3.32.1',
      'quay.io/calico/cni:v3.32.1',
    ]);
  });

  it('are not the words of a description, an image without a tag, nor a digest', () => {
    const text =
      'description: the image: quay.io/a/b:v1 of it\nimage: quay.io/a/c\nimage: quay.io/a/d@sha256:00\n';
    expect(imagesInManifest(text)).toEqual([]);
  });
});

it('a line without end is read in time', () => {
  const text = `image: ${'a/'.repeat(2_000_000)}\n`;
  expect(imagesInManifest(text)).toEqual([]);
});

it('the operator of calico names components of other versions, which are not of the release', () => {
  const text = 'Version:   "v3.32.1",\n\t\tImage:     "node",\nVersion: "v3.32.1-fips",\n Image: "cni",';
  expect(names(imagesOfOperator(text, 'v3.32.1'))).toEqual(['quay.io/calico/node:v3.32.1']);
});

describe("the values of cilium's chart", () => {
  it('name images as maps and as text, and the operator once for each cloud', () => {
    const found = names(imagesInValues(file('values.yaml')));
    expect(found).toContain(
      'quay.io/cilium/cilium:v1.20.2'.replace(
        'v1.20.2',
        CNI_TABLE.find(({ image }) => image === 'quay.io/cilium/cilium')?.tag ?? '',
      ),
    );
    expect(found).toContain('quay.io/cilium/ztunnel:v1.0.0');
    expect(
      found
        .filter((name) => name.startsWith('quay.io/cilium/operator'))
        .map((name) => name.replace(/:.*/, '')),
    ).toEqual(['generic', 'alibabacloud', 'aws', 'azure'].map((cloud) => `quay.io/cilium/operator-${cloud}`));
    expect(found.some((name) => name.startsWith(':'))).toBe(false);
  });
});

describe('a list', () => {
  it("leaves out images of others and those for Windows, and says what upstream's defaults need", () => {
    const images = [
      { image: 'quay.io/calico/node', tag: 'v3.32.1' },
      { image: 'quay.io/calico/node-windows', tag: 'v3.32.1' },
      { image: 'quay.io/calico/typha', tag: 'v3.32.1' },
      { image: 'docker.io/flannel/flannel', tag: 'v0.24.4' },
    ];
    expect(listOf('calico', 'v3.32.1', images, new Set(['quay.io/calico/node']))).toEqual({
      release: 'v3.32.1',
      images: [
        { image: 'quay.io/calico/node', tag: 'v3.32.1', use: 'needed' },
        { image: 'quay.io/calico/typha', tag: 'v3.32.1', use: 'optional' },
      ],
    });
  });

  it.each([
    ['without the main image', [{ image: 'quay.io/cilium/hubble-ui', tag: 'v0.13.6' }]],
    ['of another release', [{ image: 'quay.io/cilium/cilium', tag: 'latest' }]],
    [
      'with what is no image',
      [
        { image: 'quay.io/cilium/cilium', tag: 'v1.20.2' },
        { image: "quay.io/cilium/x', run(), '", tag: 'v1' },
      ],
    ],
    [
      'without end',
      [
        { image: 'quay.io/cilium/cilium', tag: 'v1.20.2' },
        ...Array.from({ length: 60 }, (_, index) => ({ image: `quay.io/cilium/x${index}`, tag: 'v1' })),
      ],
    ],
  ])('is refused %s', (_, images) => {
    expect(() => listOf('cilium', 'v1.20.2', images)).toThrow(
      expect.objectContaining({ code: 'TABLES_REFUSED' }),
    );
  });
});
