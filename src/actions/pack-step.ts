import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Flag } from '../config/flags/flag.ts';
import { describeFailure } from '../lib/failure.ts';
import { ownFiles } from '../pack/contents/overlay.ts';
import { PACK_FLAGS } from '../pack/flags.ts';
import { type PackParts, runPack } from '../pack/run/run.ts';
import { packageHeadline } from '../pack/run/wording.ts';
import { type PackSettings, parsePackSettings } from '../pack/settings.ts';
import { PUBLISH_FLAGS } from '../publish/flags.ts';
import { Publication, type Published } from '../publish/publication.ts';
import { type PublishSettings, parsePublishSettings } from '../publish/settings.ts';
import { formatPackSummary, formatPlanSummary, type PackFacts } from '../summary/pack-summary.ts';
import { artifactStore } from './artifact-store.ts';
import { labelInput, readInputs } from './inputs.ts';
import { writeJobSummary } from './job-summary.ts';
import { InputsRefused, reportObstacles } from './obstacles.ts';
import { NO_PACKAGE, setOutputs } from './outputs.ts';
import { PROCESS_MASK } from './process-mask.ts';
import { componentKeeper } from './tool-cache.ts';

/** What the entry provides to the step. */
interface PackStepParts
  extends Pick<PackParts<unknown>, 'reporter' | 'signal' | 'environment' | 'runCredentialHelper'> {
  readonly notices: readonly string[];
}

/** The inputs of action-pack: the flags of `packer`, and those of `packer push` for where a package goes. */
export const PACK_INPUTS: readonly Flag[] = [
  ...PACK_FLAGS.filter(({ name }) => PUBLISH_FLAGS.every((flag) => flag.name !== name)),
  ...PUBLISH_FLAGS,
];

/**
 * Packs and publishes by the inputs of the step and returns whether the step succeeded. Sets the outputs on every path.
 */
export async function packStep(parts: PackStepParts): Promise<boolean> {
  const { reporter, environment } = parts;
  try {
    const { pack, publish } = readSettings(parts);
    const lent = { ...parts, onSecret: PROCESS_MASK.hide };
    const artifacts = artifactStore(environment);
    using destinations = await Publication.open(publish, pack, { ...lent, artifacts });
    const result = await runPack(pack, {
      ...lent,
      ownFiles: await ownFiles(),
      keeper: componentKeeper(environment),
      destinations,
    });
    if (result.kind === 'packed') return await tell(result, parts);
    setOutputs({ ...NO_PACKAGE, kubernetes: result.plan.kubernetes }, reporter);
    await writeJobSummary(formatPlanSummary(result.plan, result.chosen), reporter);
    return true;
  } catch (error) {
    setOutputs(NO_PACKAGE, reporter);
    await reportObstacles(error, parts, { stopped: 'the run was stopped', title: 'No package' });
    return false;
  }
}

function readSettings({ reporter, environment, notices }: PackStepParts): {
  readonly pack: PackSettings;
  readonly publish: PublishSettings;
} {
  const { values, warnings } = readInputs(PACK_INPUTS, environment);
  const source = { values, environment, label: labelInput, onSecret: PROCESS_MASK.hidePassword };
  const pack = parsePackSettings(source);
  const publish = parsePublishSettings(source);
  for (const warning of [...notices, ...warnings]) reporter.warning(warning);
  for (const notice of [...(pack.ok ? pack.notices : []), ...publish.notices]) reporter.warning(notice);
  if (!pack.ok || !publish.ok) {
    throw new InputsRefused([pack, publish].flatMap((parsed) => (parsed.ok ? [] : parsed.failures)));
  }
  return { pack: pack.settings, publish: publish.settings };
}

/** Writes outputs and summary, ends the log with the headline, and returns whether the step succeeded. */
async function tell(
  {
    file,
    contents,
    chosen,
    duration,
    published,
  }: Omit<PackFacts, 'locations' | 'failures'> & { published: Published },
  { reporter, environment }: PackStepParts,
): Promise<boolean> {
  const { locations, failures } = published;
  const { RUNNER_TEMP = tmpdir() } = environment;
  const manifest = path.join(RUNNER_TEMP, 'keel-package.json');
  await writeFile(
    manifest,
    `${JSON.stringify({ ...contents, wanted: chosen && { word: chosen.word, origin: chosen.origin }, ...file, locations }, undefined, 2)}\n`,
  );
  const outputs = {
    package: file.path,
    kubernetes: contents.kubernetes,
    sha256: file.sha256.slice('sha256:'.length),
    size: file.size,
    locations: JSON.stringify(locations),
    manifest,
  };
  setOutputs(outputs, reporter);
  const told = failures.map(({ target, error }) => ({ target, message: describeFailure(error) }));
  await writeJobSummary(
    formatPackSummary({ file, contents, chosen, duration, locations, failures: told }),
    reporter,
  );
  const headline = packageHeadline(contents, file.size);
  if (failures.length === 0) reporter.line(headline);
  else
    reporter.error(
      `${headline}, but it could not be published to ${told.map(({ target }) => target).join(', ')}`,
    );
  return failures.length === 0;
}
