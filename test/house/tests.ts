import { basename, dirname, join } from 'node:path';
import type { Module } from './modules.ts';

const FILE = /\.[jt]s$/;
const PROGRAM = /^(?:synctl|packer|action-sync|action-pack)$/;

/**
 * Returns the test of the name of a file of `src/`, by its path: in the folder of its part or below. Where two files of a
 * part have one name, the tests stand in folders as the files do.
 */
export function testOf(path: string, modules: readonly Module[]): string | undefined {
  const [, part = ''] = path.split('/');
  const name = basename(path, '.ts');
  const namesakes = modules.filter(
    (each) => each.path.startsWith(`src/${part}/`) && basename(each.path, '.ts') === name,
  );
  const mirrored = `test/${dirname(path).slice('src/'.length)}/${name}.test.ts`;
  return modules
    .map((each) => each.path)
    .find((test) =>
      namesakes.length > 1
        ? test === mirrored
        : test.startsWith(`test/${part}/`) && basename(test) === `${name}.test.ts`,
    );
}

/**
 * Returns where the program is that a text names, if it names one: tests run `../../src/synctl.ts`, `./measured-synctl.ts`,
 * `build/src/packer.js`, or a program by its name alone.
 */
function programsIn(text: string, folder: string): readonly string[] {
  if (PROGRAM.test(text)) return [`src/${text}.ts`];
  if (!FILE.test(text)) return [];
  const source = text.replace(/(^|\/)build\//, '$1').replace(FILE, '.ts');
  return [source, join(folder, source)];
}

/** Returns the files that one leads to by imports, and by the programs that it names. */
export function reachedFrom(path: string, modules: readonly Module[]): ReadonlySet<string> {
  const known = new Map(modules.map((each) => [each.path, each]));
  const reached = new Set<string>();
  const visit = (each: string): void => {
    const module = known.get(each);
    if (module === undefined || reached.has(each)) return;
    reached.add(each);
    for (const { target } of module.imports) if (target !== undefined) visit(target);
    if (each.startsWith('src/')) return;
    for (const text of module.strings) programsIn(text, dirname(each)).forEach(visit);
  };
  visit(path);
  return reached;
}
