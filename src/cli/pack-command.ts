import { formatDuration } from '../lib/duration.ts';
import { ownFiles } from '../pack/contents/overlay.ts';
import { runPack } from '../pack/run/run.ts';
import { plainPlan } from '../pack/run/wording.ts';
import type { PackSettings } from '../pack/settings.ts';
import { askCredentialHelper } from '../process/credential-helper.ts';
import type { Ending } from '../process/exit-code.ts';
import type { CommandContext } from './commands.ts';

/** Packing publishes nothing. `packer push` does. */
const NOWHERE = { prove: async () => undefined, publish: async () => undefined };

/** Packs, and ends with a sentence, or with the result as JSON. */
export async function packCommand(settings: PackSettings, context: CommandContext): Promise<Ending> {
  const { reporter, signal, print } = context;
  const result = await runPack(settings, {
    reporter,
    signal,
    environment: process.env,
    runCredentialHelper: askCredentialHelper,
    // What a terminal shows never contains a secret, and there is no log to mask.
    onSecret: () => undefined,
    ownFiles: await ownFiles(),
    destinations: NOWHERE,
  });
  if (result.kind === 'planned') {
    if (settings.json) print(JSON.stringify(plainPlan(result.plan, result.chosen), undefined, 2));
    return 'complete';
  }
  const { file, contents, chosen, duration } = result;
  const { path, size, sha256, tarSha256, qetag } = file;
  reporter.line(`packed in ${formatDuration(duration)}`);
  if (settings.json) {
    const wanted = chosen && { word: chosen.word, origin: chosen.origin };
    print(JSON.stringify({ ...contents, wanted, path, size, sha256, tarSha256, qetag }, undefined, 2));
  }
  return 'complete';
}
