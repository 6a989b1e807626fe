import { describeFailure } from '../../lib/failure.ts';
import { countOf } from '../../lib/text/sentence.ts';
import type { Registries } from '../../registry/registries.ts';
import type { SyncSettings } from '../settings.ts';
import { type KnownStateParts, openKnownState } from '../state/known-state.ts';
import { statePlace } from '../state/state-in-registry.ts';
import { doubtful, type Finding, fine } from './diagnosis.ts';
import { provePush } from './push-permission.ts';

/**
 * Checks the state, and with `--state registry` also whether a run may push it. Problems are warnings, except for a
 * file at `--db` that is not a state. Throws what `State.open` throws.
 */
export async function examineState(
  settings: SyncSettings,
  registries: Registries,
  parts: KnownStateParts,
): Promise<Finding> {
  const warnings: string[] = [];
  const reporter = { detail: () => undefined, warning: (text: string) => void warnings.push(text) };
  using known = await openKnownState(settings, registries, { ...parts, reporter });
  const [warning] = warnings;
  if (warning !== undefined) return doubtful(warning);
  const refusal =
    settings.state === 'registry' ? await refusalToPush(settings, registries, parts) : undefined;
  if (refusal !== undefined) {
    const hint = 'allow the account to pull and push it; until then, each run starts without a state';
    return doubtful(`the state cannot be stored at ${known.name}: ${refusal}`, hint);
  }
  if (!known.isThere) return fine(`${known.name} does not exist yet; the first run checks everything`);
  const tags = known.state.repositories().reduce((sum, repository) => sum + repository.tags, 0);
  return fine(`${known.name} records ${countOf(tags, 'tag')}`);
}

/** Opens an upload where the state is kept and cancels it. Returns the failure in words if there is one. */
async function refusalToPush(
  settings: SyncSettings,
  registries: Registries,
  { signal }: KnownStateParts,
): Promise<string | undefined> {
  try {
    await provePush(registries.at(settings.destination), statePlace(settings).repository, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return describeFailure(error);
  }
}
