import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initTUF } from '@sigstore/tuf';
import { writeFileWhole } from '../src/lib/atomic-file.ts';

/** The trusted root of Sigstore's public service that this version knows. */
export const TRUSTED_ROOT_FILE = 'src/signatures/public-good-root.json';

// Fetches what Sigstore publishes now, verified with the keys in the npm package (The Update Framework).
if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), 'keel-trusted-root-'));
  try {
    const repository = await initTUF({ cachePath: folder, force: true });
    writeFileWhole(TRUSTED_ROOT_FILE, await repository.getTarget('trusted_root.json'));
    const biome = spawnSync('biome', ['format', '--write', TRUSTED_ROOT_FILE], { stdio: 'inherit' });
    process.exitCode = biome.status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
