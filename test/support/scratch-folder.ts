import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Returns a new empty folder that is removed when the test that asks for it has finished. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keel-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
