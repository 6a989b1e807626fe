import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { containerdRange, readContainerdSupport } from '../../src/config/kubernetes/containerd-support.ts';

/** As https://github.com/containerd/containerd/blob/301026e/RELEASES.md has it, shortened. */
const PAGE = `\
### Kubernetes Support

| Kubernetes Version | containerd Version               | CRI Version     |
|--------------------|----------------------------------|-----------------|
| 1.34               | 2.1.3+, 2.0.6+, 1.7.28+, 1.6.39+ | v1              |
| 1.35               | 2.2.0+, 2.1.5+, 1.7.28+          | v1              |
| 1.36               | 2.3.0+, 2.2.0+                   | v1              |

Deprecated containerd and kubernetes versions

| Containerd Version       | Kubernetes Version | CRI Version                          |
|--------------------------|--------------------|--------------------------------------|
| v1.0 (w/ cri-containerd) | 1.7, 1.8, 1.9      | v1alpha1                             |
| v1.6.15+, v1.7.0+        | 1.26+              | v1                                   |
`;

describe('readContainerdSupport', () => {
  it("reads upstream's table, and not the one of what is deprecated", () => {
    expect(readContainerdSupport(PAGE)).toEqual([
      { minor: 34, containerd: '2.1.3+, 2.0.6+, 1.7.28+, 1.6.39+', cri: 'v1' },
      { minor: 35, containerd: '2.2.0+, 2.1.5+, 1.7.28+', cri: 'v1' },
      { minor: 36, containerd: '2.3.0+, 2.2.0+', cri: 'v1' },
    ]);
  });

  it('reads lines that end as on Windows, and a minor that upstream prepares', () => {
    const page = PAGE.replace('| 1.36 ', '| 1.36(wip) ').replaceAll('\n', '\r\n');
    expect(readContainerdSupport(page)?.at(-1)).toEqual({
      minor: 36,
      containerd: '2.3.0+, 2.2.0+',
      cri: 'v1',
    });
  });

  it.each([
    ['an empty page', ''],
    ['a page of HTML', '<!DOCTYPE html><table><tr><td>1.36</td></tr></table>'],
    [
      'columns in another order',
      PAGE.replace('| Kubernetes Version | containerd', '| containerd | Kubernetes'),
    ],
    ['no rows', PAGE.replaceAll(/^\| 1\.3.*\n/gm, '')],
    ['a version that is none', PAGE.replace('2.0.6+', '2,0.6+')],
    ['a version without its patch', PAGE.replace('2.3.0+', '2.3+')],
    ['a minor that is none', PAGE.replace('| 1.35 ', '| 1.35, 1.36 ')],
    ['a minor twice', PAGE.replace('| 1.35 ', '| 1.34 ')],
    ['an empty cell', PAGE.replace('2.3.0+, 2.2.0+', '')],
  ])('refuses %s', (_, page) => {
    expect(readContainerdSupport(page)).toBeUndefined();
  });
});

describe('containerdRange', () => {
  it.each([
    ['2.1.0+, 2.0.1+, 1.7.24+, 1.6.36+', 'v1', '>=2.1.0 || ~2.0.1 || ~1.7.24 || ~1.6.36'],
    ['2.3.0+, 2.2.0+', 'v1', '>=2.3.0 || ~2.2.0'],
    ['v1.6.15+, v1.7.0+', 'v1, v1alpha2 **', '>=1.7.0 || ~1.6.15'],
    ['2.0(wip), 1.7.20+, 1.6.34+', 'v1', '>=1.7.20 || ~1.6.34'],
    ['1.5.5+', 'v1alpha2', '^1.5.5'],
  ])('of %s with CRI %s is %s', (containerd, cri, range) => {
    expect(containerdRange({ containerd, cri })).toBe(range);
  });

  it.each([
    ['', 'v1'],
    ['1.6.tbd, 1.7.tbd', 'v1'],
    ['2.1.0', 'v1'],
    ['2.1.0+ 2.0.1+', 'v1'],
    ['2.1.0+, 2.1.3+', 'v1'],
    ['2.1.0+', ''],
    ['2.1.0+', "v1', run()"],
    ['2.1.0+, latest', 'v1'],
    ['2.1.0+', 'v1alpha2'],
    ['2.01.0+', 'v1'],
  ])('of %j with CRI %j is not known', (containerd, cri) => {
    expect(containerdRange({ containerd, cri })).toBeUndefined();
  });

  it.each([
    ['1.5.5+', 'v1alpha2', '2.0.0-rc.1', false],
    ['1.7.0+, 1.6.15+', 'v1', '1.6.14', false],
    ['1.7.0+, 1.6.15+', 'v1', '2.4.0', true],
    ['2.3.0+, 2.2.0+', 'v1', '2.1.9', false],
    ['2.3.0+, 2.2.0+', 'v1', '2.4.0-rc.0', true],
  ])('%s with CRI %s: that %s goes with it is %s', (containerd, cri, version, fits) => {
    const range = containerdRange({ containerd, cri }) ?? '';
    expect(semver.satisfies(version, range, { includePrerelease: true })).toBe(fits);
  });
});
