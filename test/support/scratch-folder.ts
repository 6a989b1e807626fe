import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Returns a new empty folder that is removed when the test that asks for it has finished. Not for tests that run side by
 * side: vitest takes the one that began last for the one that asks.
 */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keel-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
