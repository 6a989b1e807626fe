import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeExecutable } from './executable.ts';
import { bundle } from './ncc.ts';

const VERSION_LINE = "const VERSION = 'v1.0.0';";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { version: { type: 'string', default: 'v1.0.0' } },
});
for (const name of positionals) {
  if (!existsSync(`src/${name}.ts`)) {
    console.log(`./${name} is left out: there is no src/${name}.ts`);
    continue;
  }
  try {
    buildExecutable(name, values.version);
  } catch (error) {
    console.error(`./${name} was not built: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

/** Writes ./<name>: the shell preamble that finds a Node 24, and behind it one bundle of build/src/<name>.js. */
function buildExecutable(name: string, version: string): void {
  if (!/^[\w.+-]+$/.test(version)) throw new Error(`"${version}" is no version, write one such as v1.2.3`);
  const folder = join('build', 'bundle', name);
  rmSync(folder, { recursive: true, force: true });
  bundle(join('build', 'src', `${name}.js`), folder);
  const strays = readdirSync(folder).filter((file) => file !== 'index.js' && file !== 'package.json');
  if (strays.length > 0) {
    throw new Error(
      `${name} has to be one file, but the bundle has ${strays.join(', ')} as well: ` +
        'write import(/* webpackMode: "eager" */ …)',
    );
  }
  writeExecutable(name, name, stampVersion(readFileSync(join(folder, 'index.js'), 'utf8'), version));
  console.log(`./${name} ${version}`);
}

function stampVersion(program: string, version: string): string {
  const parts = program.split(VERSION_LINE);
  if (parts.length !== 2) {
    throw new Error(`src/cli/version.ts: expected "${VERSION_LINE}" once in the bundle`);
  }
  return parts.join(`const VERSION = '${version}';`);
}
