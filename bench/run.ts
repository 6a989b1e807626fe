import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

// Runs every measurement in its short form, one after the other, each in a process of its own: what one leaves in
// memory must not count for the next. Usage: make bench

const PARTS: readonly (readonly [title: string, script: string, ...scriptArguments: string[]])[] = [
  ['Mirror, 30 ms away, against skopeo', 'sync.js'],
  ['Package, against tar, gzip and pigz', 'archive.js', '1'],
  ['Upload to Kodo, against its own package', 'upload.js', '256', '1'],
  ['Start of the action to its first request', 'start-up.js'],
];

for (const [title, script, ...scriptArguments] of PARTS) {
  process.stdout.write(`\n${title}\n\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, script), ...scriptArguments], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
