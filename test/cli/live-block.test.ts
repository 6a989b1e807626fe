import { expect, test } from 'vitest';
import { LiveBlock } from '../../src/cli/live-block.ts';
import { Screen } from '../support/screen.ts';

test('is drawn in place, with lines above it, and leaves nothing behind', () => {
  const screen = new Screen({ columns: 40 });
  const block = new LiveBlock(screen, false);
  block.draw('mirroring 1 of 3', ['pause:3.10']);
  block.draw('mirroring 2 of 3', ['etcd:3.6', 'coredns:v1']);
  expect(screen.text()).toBe('mirroring 2 of 3\n  etcd:3.6\n  coredns:v1\n');
  block.makeRoom(() => screen.write('copied pause:3.10\n'));
  expect(screen.text()).toBe('copied pause:3.10\nmirroring 2 of 3\n  etcd:3.6\n  coredns:v1\n');
  expect(screen.cursorHidden).toBe(true);
  block.close();
  expect(screen.text()).toBe('copied pause:3.10\n');
  expect(screen.cursorHidden).toBe(false);
  block.close();
  expect(screen.text()).toBe('copied pause:3.10\n');
});

test('has eight items at most, and no line that would wrap', () => {
  const screen = new Screen({ columns: 12 });
  const block = new LiveBlock(screen, false);
  block.draw(
    'a headline that is long',
    Array.from({ length: 10 }, (_, index) => `item ${index}`),
  );
  const lines = screen.text().trimEnd().split('\n');
  expect(lines).toHaveLength(9);
  expect(lines.at(0)).toBe('a headline…');
  expect(lines.at(-1)).toBe('  and 3 mo…');
});
