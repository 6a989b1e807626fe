import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A part of a page below one heading, without the words of its language. */
interface Section {
  /** The heading without marks; empty for what stands before the first. */
  readonly title: string;
  readonly line: number;
  readonly level: number;
  /** What a translation shares with its original, each as one line of text, sorted where order means nothing. */
  readonly blocks: readonly string[];
  readonly rows: readonly string[];
  readonly spans: readonly string[];
  readonly links: readonly string[];
}

/** A section while its lines are read. */
interface OpenSection {
  readonly title: string;
  readonly line: number;
  readonly level: number;
  readonly blocks: string[];
  readonly rows: string[];
  readonly text: string[];
}

/** A page and its original. */
interface Translation {
  readonly page: string;
  readonly original: string;
}

const FOLDER = 'docs/zh-CN';
const SWITCH = /^\[(?:English|中文)\]\([^)]*\)$/gm;
/** Tables that the code writes, in English alone: `--help` prints the same. */
const GENERATED = /<!-- (\S+):start -->[\s\S]*?<!-- \1:end -->/g;
const HEADING = /^(#{1,6}) (.+)$/;
const FENCE = /^ *```(\w*)/;

/** Returns the path of the Chinese page of an English one. */
export function chinesePageOf(original: string): string {
  return original === 'README.md' ? 'README.zh-CN.md' : `${FOLDER}/${basename(original)}`;
}

/** Returns the anchor that GitHub makes of a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

/** Returns a block of code without its comments, which are translated. */
function withoutComments(language: string, lines: readonly string[]): string {
  const mark = ['json', 'jsonc', 'ts'].includes(language) ? '//' : '#';
  // At the beginning of a line of a console, `# ` is the prompt of root.
  const before = ['console', 'sh', 'bash'].includes(language) ? '\\s+' : '(?:^|\\s+)';
  const comment = new RegExp(`${before}${mark} .*$`);
  const kept = lines.map((line) => line.replace(comment, '').trimEnd()).filter((line) => line !== '');
  return [`\`\`\`${language}`, ...kept].join('\n');
}

function codeSpans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** Returns the cells of a row of a table, with their marks. */
function cellsOf(row: string): string[] {
  return row
    .replaceAll(/`[^`]*`/g, (code) => code.replaceAll('\\|', '\u0000'))
    .slice(1, -1)
    .split(/(?<!\\)\|/);
}

/** Returns the targets of links and pictures of a text, as paths of the repository, anchors included. */
function targetsOf(page: string, text: string): string[] {
  const bare = text.replaceAll(/`[^`]*`/g, '');
  const found = [...bare.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)];
  return found.map(([, link, picture]) => {
    const target = link ?? picture ?? '';
    if (/^[a-z]+:/.test(target)) return target;
    if (target.startsWith('#')) return `${page}${decodeURI(target)}`;
    return join(dirname(page), decodeURI(target));
  });
}

/** Returns as many empty lines as a text has, so that the lines below keep their numbers. */
function blank(text: string): string {
  return '\n'.repeat(text.split('\n').length - 1);
}

/** Returns the sections of a page. */
function sectionsOf(page: string): Section[] {
  const lines = readFileSync(page, 'utf8').replaceAll(SWITCH, '').replaceAll(GENERATED, blank).split('\n');
  const sections: Section[] = [];
  let open: OpenSection = { title: '', line: 1, level: 0, blocks: [], rows: [], text: [] };
  const close = (): void => {
    const text = open.text.join('\n');
    sections.push({
      title: open.title,
      line: open.line,
      level: open.level,
      blocks: open.blocks,
      rows: open.rows,
      spans: [...new Set(codeSpans(text))].sort(),
      links: targetsOf(page, text).sort(),
    });
  };
  let block: { language: string; lines: string[] } | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = FENCE.exec(line);
    if (block !== undefined) {
      if (fence === null) block.lines.push(line);
      else {
        open.blocks.push(withoutComments(block.language, block.lines));
        block = undefined;
      }
      continue;
    }
    if (fence !== null) {
      block = { language: fence[1] ?? '', lines: [] };
      continue;
    }
    const [, marks, title] = HEADING.exec(line) ?? [];
    if (marks !== undefined && title !== undefined) {
      close();
      open = { title, line: index + 1, level: marks.length, blocks: [], rows: [], text: [title] };
      continue;
    }
    if (line.startsWith('|')) {
      const cells = cellsOf(line).map((cell) => codeSpans(cell).sort().join(' '));
      open.rows.push(cells.join(' | '));
    }
    open.text.push(line);
  }
  close();
  return sections;
}

/** Returns where a link of the original leads in the translation: to the Chinese page of its target, if there is one. */
function translatedTarget(target: string): string {
  const [path = '', anchor] = target.split('#');
  const page = chinesePageOf(path);
  const isPage = path.endsWith('.md') && (path === 'README.md' || dirname(path) === 'docs');
  if (!isPage || !existsSync(page)) return target;
  if (anchor === undefined) return page;
  const index = sectionsOf(path).findIndex(({ title }) => anchorOf(title) === anchor);
  const there = sectionsOf(page)[index];
  return there === undefined ? `${page}#${anchor}` : `${page}#${anchorOf(there.title)}`;
}

function difference(kind: string, wanted: readonly string[], found: readonly string[]): string[] {
  const missing = wanted.filter((each) => !found.includes(each));
  const added = found.filter((each) => !wanted.includes(each));
  const order = missing.length + added.length === 0 && wanted.join('\n') !== found.join('\n');
  return [
    ...missing.map((each) => `${kind} is missing: ${each}`),
    ...added.map((each) => `${kind} is not in the original: ${each}`),
    ...(order ? [`${kind}: another number or order`] : []),
  ];
}

/** Returns in what a translation is behind its original, a line for each difference. */
export function lagOf({ page, original }: Translation): string[] {
  const wanted = sectionsOf(original);
  const found = sectionsOf(page);
  return wanted.flatMap((section, index) => {
    const there = found[index];
    const where = `${original}:${section.line} "${section.title}"`;
    if (there === undefined) return [`${page} is behind ${where}: the section is missing`];
    const lag = [
      ...(there.level === section.level ? [] : [`its heading has level ${there.level}`]),
      ...difference('block', section.blocks, there.blocks),
      ...difference('row', section.rows, there.rows),
      ...difference('code', section.spans, there.spans),
      ...difference('link', section.links.map(translatedTarget).sort(), there.links),
    ];
    return lag.map((each) => `${page}:${there.line} is behind ${where}: ${each}`);
  });
}
