import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FLOORS, ROOMS } from '../house/floors.ts';
import { snippetsOf } from '../support/markdown-page.ts';

const PAGE = 'docs/architecture.md';
const page = readFileSync(PAGE, 'utf8');
const [parts = '', ...journeys] = snippetsOf(PAGE)
  .filter(({ language }) => language === 'mermaid')
  .map(({ text }) => text);

/** Returns the arrows of a diagram whose nodes are names, as `cli -> lib`; `a & b --> c & d` are four. */
function arrowsOf(diagram: string): readonly string[] {
  return diagram
    .replaceAll(/\["[^"]*"\]/g, '')
    .split('\n')
    .flatMap((line) => {
      const [from = '', to] = line.split(' --> ');
      const ends = (side: string) => side.split('&').map((name) => name.trim());
      return to === undefined
        ? []
        : ends(from).flatMap((one) => ends(to).map((other) => `${one} -> ${other}`));
    });
}

/** Returns the imports of the table that do not follow from others: from a part to one that no part between them imports. */
function directImports(): readonly string[] {
  return Object.entries(FLOORS).flatMap(([part, imports]) =>
    imports
      .filter((other) => !imports.some((between) => FLOORS[between]?.includes(other)))
      .map((other) => `${part === '.' ? 'entries' : part} -> ${other}`),
  );
}

test('the diagram of the parts is that of the rules', () => {
  expect(arrowsOf(parts).toSorted()).toEqual(directImports().toSorted());
});

test('the table has each part, with the folders in it', () => {
  const rows = [...page.matchAll(/^\| `src\/(\w+)` \| (.*) \|$/gm)].map(([, part = '', what = '']) => [
    part,
    [...what.matchAll(/`(\w+)`/g)].map(([, name = '']) => name).toSorted(),
  ]);
  const known = Object.keys(FLOORS)
    .filter((part) => part !== '.')
    .map((part) => [
      part,
      (ROOMS[part] ?? [])
        .flat()
        .filter((room) => room !== '.')
        .toSorted(),
    ]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(known));
});

test('the order of the folders of sync is that of the rules', () => {
  const order = (ROOMS['sync'] ?? []).map((level) => level.map((room) => (room === '.' ? 'settings' : room)));
  expect(page).toContain(`: ${order.map((level) => level.join(', ')).join(' ← ')}.`);
});

describe('each file and folder that it names is there', () => {
  const inDiagrams = journeys.flatMap((diagram) =>
    [...diagram.matchAll(/\["([\w/-]+\.ts)/g)].map(([, path]) => `src/${path}`),
  );
  const inText = [...page.matchAll(/`((?:src|test|docs|scripts)\/[\w./-]*)`/g)].map(([, path = '']) => path);

  test('so many that none is overlooked', () => {
    expect([inDiagrams.length > 25, inText.length > 15]).toEqual([true, true]);
  });

  test.each([...new Set([...inDiagrams, ...inText])].toSorted())('%s', (path) => {
    expect(existsSync(path)).toBe(true);
  });
});

test('each node of a journey is connected', () => {
  for (const diagram of journeys) {
    const nodes = [...diagram.matchAll(/(\w+)\["/g)].map(([, name = '']) => name);
    const lines = diagram.split('\n').filter((line) => line.includes('--'));
    const connected = lines.flatMap(
      (line) => line.replaceAll(/\["[^"]*"\]|-- [\w ]+ -->/g, '').match(/\w+/g) ?? [],
    );
    expect(nodes.filter((name) => !connected.includes(name))).toEqual([]);
    expect(new Set(nodes).size).toBe(nodes.length);
  }
});
