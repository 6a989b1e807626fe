import type { Flag } from '../../config/flags/flag.ts';
import { SYNC_FLAGS, type SyncFlagName } from '../flags.ts';

/** A doctor is asked by someone who waits, and not for minutes. */
const DEFAULTS: Readonly<Partial<Record<SyncFlagName, string>>> = { retry: '2', 'retry-interval': '500ms' };

/** The flags of `synctl sync` with the defaults that `synctl doctor` has. */
export const DOCTOR_FLAGS: readonly Flag<SyncFlagName>[] = SYNC_FLAGS.map((flag) => ({
  ...flag,
  default: DEFAULTS[flag.name] ?? flag.default,
}));
