import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleLicences } from './bundle-licences.ts';
import { bundle } from './ncc.ts';

const scratch = mkdtempSync(join(tmpdir(), 'keel-dist-'));
for (const name of ['action-sync', 'action-pack']) {
  if (!existsSync(`src/${name}.ts`)) continue;
  const folder = join('dist', name);
  const statistics = join(scratch, `${name}.json`);
  // Chunks are named by numbers, so those of an earlier build could remain.
  rmSync(folder, { recursive: true, force: true });
  bundle(join('build', 'src', `${name}.js`), folder, ['--stats-out', statistics]);
  writeFileSync(join(folder, 'licenses.txt'), bundleLicences(readFileSync(statistics, 'utf8')));
  console.log(`${folder}/`);
}
rmSync(scratch, { recursive: true });
