import type { LearntTags } from '../../config/kubernetes/kubeadm-tags.ts';
import type { Reporter } from '../../lib/reporter.ts';
import type { Registries } from '../../registry/registries.ts';
import type { RunParts } from '../parts.ts';
import type { SyncSettings } from '../settings.ts';
import { openRemoteState } from './remote-state.ts';
import { State } from './state.ts';
import { inspectFile } from './state-file-kind.ts';
import { scopeOf } from './state-in-registry.ts';

/** The state of earlier runs, opened for reading. */
interface KnownState extends Disposable {
  readonly state: State;
  /** The path of its file, or its name in the registry. */
  readonly name: string;
  /** Whether a state was found. */
  readonly isThere: boolean;
}

/** What the command line passes to a command that only reads. */
export interface KnownStateParts extends Omit<RunParts, 'version' | 'reporter'> {
  readonly reporter: Pick<Reporter, 'warning' | 'detail'>;
}

/**
 * Opens the state at `--db`, or with `--state registry` the newer of that and the one in the registry. Both stay
 * unchanged. If the state cannot be fetched from the registry, there is a warning. Throws what `State.open` throws.
 */
export async function openKnownState(
  settings: SyncSettings,
  registries: Registries,
  parts: KnownStateParts,
): Promise<KnownState> {
  const { reporter, signal } = parts;
  const remote = openRemoteState(settings, {
    ...parts,
    reporter: { line: (text) => reporter.detail(text) },
    warning: (text) => reporter.warning(text),
    scope: scopeOf(settings),
    isReadOnly: true,
    consequence: 'nothing is known about earlier runs',
  });
  try {
    await remote?.fetching(registries, signal)();
    signal.throwIfAborted();
    const file = remote?.file ?? settings.database;
    const isHere = file === settings.database && inspectFile(file) !== 'missing';
    const isThere = isHere || file !== settings.database;
    const name = remote === undefined || isHere ? file : remote.name;
    const state = State.open(file, { reporter, mode: 'read' });
    const dispose = (): void => {
      state.close();
      remote?.[Symbol.dispose]();
    };
    return { state, name, isThere, [Symbol.dispose]: dispose };
  } catch (error) {
    remote?.[Symbol.dispose]();
    throw error;
  }
}

/**
 * Returns what earlier runs learnt about kubeadm, from the state that `openKnownState` opens. Throws what that throws.
 */
export async function readKnownTags(
  settings: SyncSettings,
  registries: Registries,
  parts: KnownStateParts,
): Promise<readonly LearntTags[]> {
  using known = await openKnownState(settings, registries, parts);
  return known.state.learntTags();
}
