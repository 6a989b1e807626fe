import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Writes `{passed, failed, skipped}` to the file that KEEL_TALLY names, for `.ci/run` to add up. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    // A file that cannot be loaded and an error that no test caught are failures too.
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      tally.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') tally[state] += 1;
      }
    }
    const { KEEL_TALLY: file } = process.env;
    if (file !== undefined) writeFileSync(file, JSON.stringify(tally));
  }
}
