import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch-folder.ts';
import { anchorOf, chinesePageOf, lagOf } from '../support/translated-page.ts';

/** What users need first. Further pages may be translated. */
const NEEDED = [
  'README.md',
  'docs/image-set.md',
  'docs/few-images.md',
  'docs/cluster.md',
  'docs/troubleshooting.md',
  'docs/recipes.md',
  'docs/images.md',
  'docs/pack.md',
];
const ORIGINALS = ['README.md', ...globSync('docs/*.md').sort()].filter((page) =>
  existsSync(chinesePageOf(page)),
);

describe('the Chinese pages', () => {
  it('are there for what users need first', () => {
    expect(ORIGINALS).toEqual(expect.arrayContaining(NEEDED));
  });

  it('each have an original', () => {
    for (const page of globSync('docs/zh-CN/*.md'))
      expect(existsSync(`docs/${basename(page)}`), page).toBe(true);
  });

  it.each(ORIGINALS)('say what %s says: its code, tables, flags and links', (original) => {
    expect(lagOf({ page: chinesePageOf(original), original })).toEqual([]);
  });

  it.each(ORIGINALS)('and %s link to each other', (original) => {
    const page = chinesePageOf(original);
    const up = original === 'README.md' ? '' : '../';
    const down = original === 'README.md' ? '' : 'zh-CN/';
    expect(readFileSync(original, 'utf8')).toContain(`[中文](${down}${basename(page)})`);
    expect(readFileSync(page, 'utf8')).toContain(`[English](${up}${basename(original)})`);
  });

  it('keep the words of the original nowhere but in code and names', () => {
    const prose = ORIGINALS.flatMap((original) => {
      const page = chinesePageOf(original);
      const text = readFileSync(page, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
      return text
        .split('\n')
        .filter((line) => /(?:[a-z]{2,} ){6}/i.test(line.replaceAll(/`[^`]*`|\]\([^)]*\)/g, '')))
        .map((line) => `${page}: ${line}`);
    });
    expect(prose).toEqual([]);
  });
});

describe('a heading', () => {
  it.each([
    ['What does `kubernetes` mirror?', 'what-does-kubernetes-mirror'],
    ['`kubernetes` 会同步哪些镜像？', 'kubernetes-会同步哪些镜像'],
    ["What `install.sh` does, and doesn't", 'what-installsh-does-and-doesnt'],
  ])('%s is linked to as #%s', (title, anchor) => expect(anchorOf(title)).toBe(anchor));
});

describe('a page that was not translated again', () => {
  const ORIGINAL = [
    '# Pack',
    'Run `packer`: [more](https://example.com).',
    '```console',
    '$ packer --beta   # a trial',
    '```',
    '## More',
    '| Flag | Default |',
    '|---|---|',
    '| `--beta` | `no` |',
  ];
  const TRANSLATED = [
    '# 打包',
    '运行 `packer`：[更多](https://example.com)。',
    '```console',
    '$ packer --beta   # 试用',
    '```',
    '## 更多',
    '| 参数 | 默认值 |',
    '|---|---|',
    '| `--beta` | `no` |',
  ];

  function lag(written: readonly string[], translated: readonly string[] = TRANSLATED): string[] {
    const folder = scratchFolder();
    const original = join(folder, 'pack.md');
    const page = join(folder, 'pack.zh.md');
    writeFileSync(original, written.join('\n'));
    writeFileSync(page, translated.join('\n'));
    return lagOf({ page, original }).map((line) => line.replaceAll(`${folder}/`, ''));
  }

  it('is not one whose words and comments alone are others', () => expect(lag(ORIGINAL)).toEqual([]));

  it('is named, with the section and the row and flag that it lacks', () => {
    expect(lag([...ORIGINAL, '| `--rc` | `no` |'])).toEqual([
      'pack.zh.md:6 is behind pack.md:6 "More": row is missing: --rc | no',
      'pack.zh.md:6 is behind pack.md:6 "More": code is missing: --rc',
    ]);
  });

  it('is named, with the command that is another one now', () => {
    const written = ORIGINAL.map((line) => line.replace('--beta   #', '--rc   #'));
    expect(lag(written)).toEqual([
      'pack.zh.md:1 is behind pack.md:1 "Pack": block is missing: ```console\n$ packer --rc',
      'pack.zh.md:1 is behind pack.md:1 "Pack": block is not in the original: ```console\n$ packer --beta',
    ]);
  });

  it('is named, with the link and the section that it lacks', () => {
    expect(lag([...ORIGINAL, '[lock](lock.md)', '## Even more'])).toEqual([
      'pack.zh.md:6 is behind pack.md:6 "More": link is missing: lock.md',
      'pack.zh.md is behind pack.md:11 "Even more": the section is missing',
    ]);
  });
});
