import { expect, it } from 'vitest';
import { PROPERTIES } from './properties.ts';

/** Always the same inputs, so that a change is to blame for what fails; `make fuzz` looks for others. */
const SEED = 20_260_101;

it.each(PROPERTIES)('$name', async (property) => {
  const { runs, failure } = await property.search({ runs: 150, seed: SEED, milliseconds: 4000 });
  expect(failure).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
});
