import { expect, it, onTestFinished } from 'vitest';
import { type ShapeCost, shapeCost } from './shape-cost.ts';
import { LONG_LIST, type WrongShape, wrongShapes } from './wrong-shapes.ts';

const MEBIBYTE = 1024 * 1024;
/** What synctl takes besides, and far more on a machine that leaves garbage lying. */
const USUAL_MEMORY = 150;

async function costOf(shape: WrongShape): Promise<ShapeCost> {
  const finished = new AbortController();
  onTestFinished(() => finished.abort());
  return await shapeCost(shape, finished.signal);
}

it.each(wrongShapes(8 * MEBIBYTE))(
  'an answer of the wrong shape costs no more than ten times its size, and is told: $name',
  async (shape) => {
    const { told, memory, size, code } = await costOf(shape);
    expect(told).toContain(shape.told);
    // Not by a signal, as where there is no memory left.
    expect([0, 1]).toContain(code);
    expect(memory).toBeLessThan(USUAL_MEMORY + 10 * size);
  },
);

it('a list of numbers of 62 MiB is read in a heap of 256 MiB', async () => {
  const [shape] = wrongShapes(LONG_LIST).filter(({ name }) => name === 'tags that are numbers');
  if (shape === undefined) throw new Error('there is none');
  const { told, code, size } = await costOf(shape);
  expect(size).toBeGreaterThan(60);
  expect(told).toContain(shape.told);
  expect(code).toBe(1);
});
