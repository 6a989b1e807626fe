import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { writeFileWhole } from '../src/lib/atomic-file.ts';
import { REPORT_SCHEMA } from '../src/sync/report/report.ts';

/** The path of the JSON Schema of a sync report, for programs in any language. */
export const REPORT_SCHEMA_FILE = fileURLToPath(new URL('../docs/report.schema.json', import.meta.url));

/** Returns the JSON Schema 2020-12 of a sync report. */
export function reportJsonSchema(): object {
  const schema = z.toJSONSchema(REPORT_SCHEMA, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // The format is enough; the pattern is 300 characters about leap years.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
  return { title: 'Report of a keel-pkg sync run', ...schema };
}

if (import.meta.main) {
  writeFileWhole(REPORT_SCHEMA_FILE, JSON.stringify(reportJsonSchema()));
  const biome = spawnSync('biome', ['format', '--write', REPORT_SCHEMA_FILE], { stdio: 'inherit' });
  process.exitCode = biome.status ?? 1;
}
