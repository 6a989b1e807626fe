import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EMPTY_LINE = "const EMBEDDED_PACKAGE = '';";

/** Puts the files of package/ into the bundle in a folder, where src/pack/contents/overlay.ts is part of it. Runs at the root. */
export function embedPackage(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    const file = join(folder, name);
    const parts = readFileSync(file, 'utf8').split(EMPTY_LINE);
    if (parts.length === 1) continue;
    writeFileSync(file, parts.join(`const EMBEDDED_PACKAGE = ${JSON.stringify(packageFiles())};`));
  }
}

function packageFiles(): string {
  const paths = readdirSync('package', { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join('package', path)).isFile())
    .sort();
  const files = paths.map((path) => {
    const { mode } = statSync(join('package', path));
    const content = readFileSync(join('package', path)).toString('base64');
    return [path, { mode: (mode & 0o100) === 0 ? 0o644 : 0o755, content }];
  });
  return JSON.stringify(Object.fromEntries(files));
}
