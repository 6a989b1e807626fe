import type { Ending } from '../process/exit-code.ts';
import { isMisused, wouldWork } from '../sync/doctor/diagnosis.ts';
import { examine } from '../sync/doctor/doctor.ts';
import type { SyncSettings } from '../sync/settings.ts';
import { Upstream } from '../upstream/upstream.ts';
import type { CommandContext } from './commands.ts';
import { runParts } from './sync-command.ts';
import { diagnosisLine, doctorConclusion } from './text/doctor-text.ts';

/**
 * Prints whether a run would work, one line per check. `complete` only if it would, and `usage` if a flag or a file is
 * wrong.
 */
export async function doctorCommand(settings: SyncSettings, context: CommandContext): Promise<Ending> {
  const { reporter, print } = context;
  using maker = await Upstream.open(settings, context);
  const diagnoses = await examine(settings, { ...runParts(context), maker }, (diagnosis) => {
    reporter.close();
    reporter.line(diagnosisLine(diagnosis, process.stdout.columns));
  });
  const works = wouldWork(diagnoses);
  reporter.close();
  reporter.line('');
  reporter.line(doctorConclusion(diagnoses));
  if (settings.json) print(JSON.stringify({ works, checks: diagnoses }, undefined, 2));
  if (works) return 'complete';
  return isMisused(diagnoses) ? 'usage' : 'incomplete';
}
