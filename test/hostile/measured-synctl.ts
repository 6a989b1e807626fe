import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../src/sync/report/report.ts';
import { readReport } from '../../src/sync/report/report-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import type { Route } from '../support/sync-run.ts';
import { measured } from './measured-program.ts';
import type { ProgramCost } from './program-cost.ts';

/** How a run of synctl ended, and what it took. */
export interface MeasuredRun extends ProgramCost {
  readonly report: Report | undefined;
}

/** Runs `synctl sync` from one registry to another as people do, and measures it. */
export async function measuredSync(
  { source, destination }: Omit<Route, 'set'>,
  set: object,
  ...flags: readonly string[]
): Promise<MeasuredRun> {
  const folder = scratchFolder();
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('image_set.json'), JSON.stringify(set));
  const run = await measured(
    'synctl',
    folder,
    [
      ...['sync', '--source', source.host, '--push-to', destination.host, '--push-ns', 'keel'],
      ...['--image-set', file('image_set.json'), '--db', file('state'), '--report', file('report.json')],
      ...['--retry', '2', '--retry-interval', '5ms', ...flags],
    ],
    destination.login,
  );
  return { ...run, report: reportIn(file('report.json')) };
}

function reportIn(file: string): Report | undefined {
  try {
    return readReport(file);
  } catch {
    return undefined;
  }
}
