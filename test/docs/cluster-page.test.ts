import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runsOf } from '../support/markdown-page.ts';

const PAGE = 'docs/cluster.md';
/** Stands for a value in a text of a script. */
const VALUE = '\0';

/** Returns a script with each value in its texts, however nested, as one character. */
function withoutValues(script: string): string {
  let text = '';
  let depth = 0;
  for (let at = 0; at < script.length; at += 1) {
    const opens = /[({]/.test(script[at] ?? '') && (depth > 0 || script[at - 1] === '$');
    const closes = depth > 0 && /[)}]/.test(script[at] ?? '');
    if (opens) depth += 1;
    if (closes) depth -= 1;
    if (closes && depth === 0) text += VALUE;
    else if (depth === 0) text += script[at] ?? '';
    else if (depth === 1 && opens) text = text.slice(0, -1);
  }
  return text.replaceAll(/\$\w+|%[sd]/g, VALUE);
}

/** Returns the texts that the scripts of a package can print, as expressions for whole lines. */
function patternsOfScripts(): RegExp[] {
  const scripts = globSync('package/**/*.sh').map((file) => withoutValues(readFileSync(file, 'utf8')));
  const quoted = scripts.flatMap((script) => [...script.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g)]);
  const texts = quoted.flatMap(([, double, single]) => (double ?? single ?? '').split('\\n'));
  return texts
    .map((text) => text.trim())
    .filter((text) => text.replaceAll(/[^a-zA-Z]/g, '').length > 3)
    .map((text) => {
      const parts = text.split(VALUE).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      return new RegExp(`^${parts.join('.+')}$`);
    });
}

test('all output on the page of clusters is what install.sh can print', () => {
  const patterns = patternsOfScripts();
  const shown = runsOf(PAGE).flatMap(({ output }) => output.map((line) => line.trim()));
  const lines = shown.filter((line) => line !== '…' && line !== '');
  expect(lines.length).toBeGreaterThan(20);
  const unknown = lines.filter((line) => {
    // What is in front of a text, and what is to be done about it, are put together elsewhere.
    const bare = line.replace(/^(?:ok|WARN|FAIL) +|^install\.sh: /, '').replace(/; fix: .*|; see \S+$/, '');
    return !patterns.some((pattern) => pattern.test(bare));
  });
  expect(unknown).toEqual([]);
});
