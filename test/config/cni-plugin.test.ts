import { expect, test } from 'vitest';
import { CNI_PLUGINS, cniImages } from '../../src/config/cni-plugin.ts';
import { CNI_TABLE } from '../../src/config/kubernetes/cni-image-table.ts';
import { filterTags } from '../../src/config/tag-filter.ts';

test("each image of the table is wanted under the tag that upstream's list names, and belongs to a plugin", () => {
  const wishes = CNI_PLUGINS.flatMap(cniImages);
  expect(wishes).toHaveLength(CNI_TABLE.length);
  for (const { filter, named } of wishes) {
    expect(filterTags(filter, [{ tag: named }, { tag: 'latest' }]).tags).toEqual([{ tag: named }]);
  }
});

test.each([
  ['quay.io/cilium/cilium-envoy', '^v[0-9]+\\.[0-9]+\\.[0-9]+-[0-9]+-[0-9a-f]{7,40}$'],
  ['quay.io/cilium/startup-script', '^[0-9]+-[0-9a-f]{7,40}$'],
  ['quay.io/cilium/certgen', '^v[0-9]+\\.[0-9]+\\.[0-9]+$'],
  ['ghcr.io/flannel-io/flannel-cni-plugin', '^v[0-9]+\\.[0-9]+\\.[0-9]+-flannel[0-9]+$'],
])('the form of its tags follows from the one that is named: %s', (image, form) => {
  const wish = CNI_PLUGINS.flatMap(cniImages).find(
    ({ image: { host, repository } }) => `${host}/${repository}` === image,
  );
  expect(wish?.filter.regex?.source).toBe(form);
});

test('an installation with the defaults of upstream needs the images that run on each machine', () => {
  const needed = CNI_PLUGINS.map((plugin) => cniImages(plugin).filter(({ isNeeded }) => isNeeded));
  expect(needed.map((images) => images.map(({ image }) => image.repository))).toEqual([
    ['calico/cni', 'calico/kube-controllers', 'calico/node'],
    ['cilium/cilium', 'cilium/cilium-envoy', 'cilium/operator-generic'],
    ['flannel-io/flannel', 'flannel-io/flannel-cni-plugin'],
  ]);
});
