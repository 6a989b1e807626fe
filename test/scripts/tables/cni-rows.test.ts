import { expect, test } from 'vitest';
import { describeImages, withList } from '../../../scripts/tables/cni-rows.ts';
import type { CniRow } from '../../../src/config/kubernetes/cni-image-table.ts';

function row(release: string, name: string, tag: string, use: CniRow['use'] = 'needed'): CniRow {
  return { plugin: 'calico', release, image: `quay.io/calico/${name}`, tag, use };
}

const FLANNEL: CniRow = {
  plugin: 'flannel',
  release: 'v0.28.9',
  image: 'ghcr.io/flannel-io/flannel',
  tag: 'v0.28.9',
  use: 'needed',
};
const ROWS: readonly CniRow[] = [
  row('v3.32.1', 'cni', 'v3.32.1'),
  row('v3.32.1', 'node', 'v3.32.1'),
  row('v3.32.1', 'typha', 'v3.32.1', 'optional'),
  FLANNEL,
];

function list(release: string, ...images: readonly (readonly [name: string, use: CniRow['use']])[]) {
  return {
    release,
    images: images.map(([name, use]) => ({ image: `quay.io/calico/${name}`, tag: release, use })),
  };
}

test('an image that appears becomes a row, and what stays gets the new release', () => {
  const next = list(
    'v3.33.0',
    ['cni', 'needed'],
    ['node', 'needed'],
    ['typha', 'optional'],
    ['calico', 'needed'],
  );
  const after = withList(ROWS, 'calico', next);
  expect(after).toEqual([
    row('v3.33.0', 'calico', 'v3.33.0'),
    row('v3.33.0', 'cni', 'v3.33.0'),
    row('v3.33.0', 'node', 'v3.33.0'),
    row('v3.33.0', 'typha', 'v3.33.0', 'optional'),
    FLANNEL,
  ]);
  expect(describeImages(ROWS, after)).toEqual([
    'calico v3.33.0: quay.io/calico/calico is new, with v3.33.0 (needed)',
    'calico v3.33.0: quay.io/calico/cni v3.33.0 in place of v3.32.1',
    'calico v3.33.0: quay.io/calico/node v3.33.0 in place of v3.32.1',
    'calico v3.33.0: quay.io/calico/typha v3.33.0 in place of v3.32.1',
  ]);
});

test('an image that goes is optional for two minors, as older releases need it, and gone then', () => {
  const first = withList(ROWS, 'calico', list('v3.33.0', ['node', 'needed'], ['typha', 'optional']));
  expect(first).toContainEqual(row('v3.32.1', 'cni', 'v3.32.1', 'optional'));
  expect(describeImages(ROWS, first)).toContain('calico v3.32.1: quay.io/calico/cni v3.32.1 is optional now');
  const second = withList(first, 'calico', list('v3.34.0', ['node', 'needed'], ['typha', 'optional']));
  expect(second.map(({ image }) => image)).not.toContain('quay.io/calico/cni');
  expect(describeImages(first, second)).toContain('calico: quay.io/calico/cni has gone');
});

test('the same list changes nothing, and an older one is refused', () => {
  const same = list('v3.32.1', ['typha', 'optional'], ['node', 'needed'], ['cni', 'needed']);
  expect(withList(ROWS, 'calico', same)).toEqual(ROWS);
  expect(describeImages(ROWS, ROWS)).toEqual([]);
  expect(() => withList(ROWS, 'calico', list('v3.31.9', ['node', 'needed']))).toThrow(
    expect.objectContaining({ code: 'TABLES_REFUSED', message: 'v3.31.9 is older than v3.32.1' }),
  );
});
