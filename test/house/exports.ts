import type { Module } from './modules.ts';

/** A name that a file exports. */
export interface Export {
  readonly path: string;
  readonly name: string;
  /** The first folders of the files that import it: `src`, `test`, `scripts`, `bench`. */
  readonly users: ReadonlySet<string>;
}

/** Returns what the files of `src/` export, each with who imports it by name. */
export function exportsOf(modules: readonly Module[]): readonly Export[] {
  const users = new Map<string, Set<string>>();
  const exporting = new Map(modules.map((each) => [each.path, each]));
  for (const { path, imports } of modules) {
    for (const { target, names } of imports) {
      const used = names === 'everything' ? (exporting.get(target ?? '')?.exports ?? []) : names;
      for (const name of used) {
        const key = `${target} ${name}`;
        users.set(key, (users.get(key) ?? new Set()).add(path.split('/')[0] ?? ''));
      }
    }
  }
  return modules
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap(({ path, exports }) =>
      exports.map((name) => ({ path, name, users: users.get(`${path} ${name}`) ?? new Set() })),
    );
}

/** Returns the files that import each other in a circle, and those between two circles. */
export function circlesOf(modules: readonly Module[]): readonly string[] {
  let left = [...modules];
  for (;;) {
    const paths = new Set(left.map(({ path }) => path));
    const imported = new Set(left.flatMap(({ imports }) => imports.map(({ target }) => target)));
    const next = left.filter(
      ({ path, imports }) =>
        imported.has(path) && imports.some(({ target }) => target !== undefined && paths.has(target)),
    );
    if (next.length === left.length) return left.map(({ path }) => path);
    left = next;
  }
}
