import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  formatActionMetadata,
  formatInputTables,
  formatOutputTable,
  replaceSection,
} from '../../scripts/action-metadata.ts';
import { ACTIONS, generateAction } from '../../scripts/actions.ts';
import { SYNC_OUTPUTS } from '../../src/actions/outputs.ts';
import { SYNC_FLAGS } from '../../src/sync/flags.ts';
import { readActionMetadata } from '../support/action-metadata.ts';

test.each(Object.entries(ACTIONS))('%s is described as its tables say', (folder, action) => {
  for (const [file, text] of generateAction(folder, action)) {
    expect(readFileSync(file, 'utf8'), `run "node scripts/actions.ts" to write ${file}`).toBe(text);
  }
});

test('action-sync offers every flag of synctl sync that is not for a terminal, with its default', async () => {
  const { inputs, outputs, runs } = await readActionMetadata('action-sync/action.yml');
  const flags = SYNC_FLAGS.filter((flag) => flag.commandLineOnly !== true);
  expect(Object.keys(inputs).sort()).toEqual(flags.map(({ name }) => name).sort());
  for (const flag of flags) {
    const standard = flag.inputDefault ?? flag.default ?? (flag.value === undefined ? 'false' : '');
    expect(inputs[flag.name]?.default, flag.name).toBe(standard);
    expect(inputs[flag.name]?.description, flag.name).toContain(flag.description);
  }
  expect(Object.keys(outputs)).toEqual(Object.keys(SYNC_OUTPUTS));
  expect(runs).toEqual({
    using: 'node24',
    main: '../dist/action-sync/index.js',
    post: '../dist/action-sync/index.js',
    'post-if': 'always()',
  });
});

const INPUTS = [
  { name: 'a', description: "It's a: b", group: 'One', value: 'x|y', default: 'x' },
  { name: 'b', description: 'Switch', group: 'One' },
  { name: 'c', description: 'Hidden', group: 'One', commandLineOnly: true },
  {
    name: 'd',
    description: 'List',
    group: 'Two',
    value: 'N',
    repeatable: true,
    defaultNote: 'all',
    environment: 'D',
  },
];

test('an action.yml quotes what YAML would misread', () => {
  const text = formatActionMetadata({
    name: 'n',
    description: 'd',
    icon: 'i',
    color: 'blue',
    bundle: 'b.js',
    post: false,
    inputs: INPUTS,
    outputs: { o: "it's" },
  });
  expect(text).toContain(
    "    description: 'It''s a: b; one of x, y.'\n    required: false\n    default: 'x'\n",
  );
  expect(text).toContain("  b:\n    description: 'Switch.'\n    required: false\n    default: 'false'\n");
  expect(text).toContain(
    "'List; several: separate them with commas, or write one per line; or $D; if empty: all.'",
  );
  expect(text).not.toContain('Hidden');
  expect(text).not.toContain('post');
});

test('tables escape what Markdown would take for a column', () => {
  expect(formatOutputTable({ o: 'a|b' })).toBe('| Output | Content |\n|---|---|\n| `o` | a\\|b |');
  const tables = formatInputTables(INPUTS);
  expect(tables).toContain('**One**');
  expect(tables).toContain('| `b` | `false` | Switch |');
  expect(tables).toContain(
    '| `d` | all | List; several: separate them with commas, or write one per line; or $D |',
  );
});

test('a section is replaced between its marks, and a document without them is refused', () => {
  const document = 'a\n<!-- x:start -->\nold\n<!-- x:end -->\nb';
  expect(replaceSection(document, 'x', 'new')).toBe('a\n<!-- x:start -->\nnew\n<!-- x:end -->\nb');
  expect(() => replaceSection('a', 'x', 'new')).toThrow('the document has no');
});
