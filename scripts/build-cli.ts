import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleLicences } from './bundle-licences.ts';
import { writeExecutable } from './executable.ts';
import { bundle } from './ncc.ts';

const VERSION_LINE = "const VERSION = 'v1.0.0';";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: 'string', default: 'v1.0.0' },
    // Also writes <name>-licenses.txt, which is distributed with the tool.
    licenses: { type: 'boolean', default: false },
  },
});
for (const name of positionals) {
  if (!existsSync(`src/${name}.ts`)) {
    console.log(`./${name} is left out: there is no src/${name}.ts`);
    continue;
  }
  try {
    buildExecutable(name, values.version);
    if (values.licenses) writeFileSync(`${name}-licenses.txt`, licencesOf(name));
  } catch (error) {
    console.error(`./${name} was not built: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

/** Writes ./<name>: the shell preamble that finds a Node 24, followed by one bundle of build/src/<name>.js. */
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

/** Bundles once more to find out which packages are inside; that bundle itself is not used. */
function licencesOf(name: string): string {
  const scratch = mkdtempSync(join(tmpdir(), 'keel-licences-'));
  const statistics = join(scratch, 'statistics.json');
  try {
    bundle(join('build', 'src', `${name}.js`), join(scratch, 'bundle'), ['--stats-out', statistics]);
    return bundleLicences(readFileSync(statistics, 'utf8'));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function stampVersion(program: string, version: string): string {
  const parts = program.split(VERSION_LINE);
  if (parts.length !== 2) {
    throw new Error(`src/process/version.ts: expected "${VERSION_LINE}" once in the bundle`);
  }
  return parts.join(`const VERSION = '${version}';`);
}
