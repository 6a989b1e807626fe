import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './ncc.ts';

for (const name of ['action-sync', 'action-pack']) {
  if (!existsSync(`src/${name}.ts`)) continue;
  const folder = join('dist', name);
  // Chunks have numbers for names: those of an earlier build would stay.
  rmSync(folder, { recursive: true, force: true });
  bundle(join('build', 'src', `${name}.js`), folder, ['--license', 'licenses.txt']);
  console.log(`${folder}/`);
}
