import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** Where Debian puts servers; only root has it on the path. */
const SERVERS = '/usr/sbin';

function isInstalled(program: string): boolean {
  const { PATH: path = '' } = process.env;
  return [...path.split(delimiter), SERVERS].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Returns those of the programs that are not installed here. */
export function missingPrograms(programs: readonly string[]): string[] {
  return programs.filter((program) => !isInstalled(program));
}

/**
 * Describes tests that need programs of others. Where one is missing they are skipped and their name says why; under
 * CI, where nobody would notice, that is a failure.
 */
export function describeWith(programs: readonly string[], name: string, tests: () => void): void {
  const missing = missingPrograms(programs);
  if (missing.length === 0) return void describe(name, tests);
  const needs = `needs ${missing.join(' and ')}, not installed here`;
  if (process.env['CI'] !== 'true') return void describe.skip(`${name} (${needs})`, tests);
  describe(name, () => {
    it('has the programs it needs', () => {
      throw new Error(`${needs}: apt-get install ${missing.join(' ')}`);
    });
  });
}
