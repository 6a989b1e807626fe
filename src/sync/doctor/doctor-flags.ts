import type { Flag } from '../../config/flags/flag.ts';
import { SYNC_FLAGS, type SyncFlagName } from '../flags.ts';

/** People wait for the result of doctor, so it gives up sooner than a run. */
const DEFAULTS: Readonly<Partial<Record<SyncFlagName, string>>> = { retry: '2', 'retry-interval': '500ms' };

/** The flags of `synctl sync` with the defaults of `synctl doctor`. */
export const DOCTOR_FLAGS: readonly Flag<SyncFlagName>[] = SYNC_FLAGS.map((flag) => ({
  ...flag,
  default: DEFAULTS[flag.name] ?? flag.default,
}));
