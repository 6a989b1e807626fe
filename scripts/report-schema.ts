import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { writeFileWhole } from '../src/lib/atomic-file.ts';
import { REPORT_SCHEMA } from '../src/sync/report/report.ts';

/** Where the form of a sync report stands as JSON Schema, for readers in any language. */
export const REPORT_SCHEMA_FILE = fileURLToPath(new URL('../docs/report.schema.json', import.meta.url));

/** Returns the form of a sync report as JSON Schema 2020-12. */
export function reportJsonSchema(): object {
  const schema = z.toJSONSchema(REPORT_SCHEMA, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // The format says it; the pattern is 300 characters of leap years.
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
