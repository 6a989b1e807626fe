import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatFlagTables, generateDocuments } from '../../scripts/docs.ts';

test('what the code knows stands in the documents; "make docs" writes it there', () => {
  for (const [file, text] of generateDocuments()) expect(readFileSync(file, 'utf8'), file).toBe(text);
});

test('a table of flags shows form, default and meaning, with bars that do not split cells', () => {
  const tables = formatFlagTables([
    { name: 'limit', short: 'l', value: 'N', default: '5', group: 'Pace', description: 'Transfers' },
    { name: 'fail-on', value: 'any|never', defaultNote: 'it depends', group: 'Pace', description: 'When' },
    { name: 'dry-run', group: 'Mode', description: 'Only tell', environment: 'DRY' },
  ]);
  expect(tables).toBe(`\
**Pace**

| Flag | Default | What it does |
|---|---|---|
| \`-l, --limit N\` | \`5\` | Transfers |
| \`--fail-on any\\|never\` | it depends | When |

**Mode**

| Flag | Default | What it does |
|---|---|---|
| \`--dry-run\` |  | Only tell; or \`$DRY\` |`);
});
