import type { TagMaturity } from '../../src/sync/plan/tag-maturity.ts';

/** The state's memory of what sources had under which tag. */
export type SightingLog = ConstructorParameters<typeof TagMaturity>[0]['log'];

/** The memory of a run without a state. */
export const FORGETFUL_LOG: SightingLog = { sightings: () => new Map(), sight: () => undefined };
