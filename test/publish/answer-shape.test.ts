import { expect, it } from 'vitest';
import { z } from 'zod';
import { understand } from '../../src/publish/contract/answer-shape.ts';

const SHAPE = z.object({ hash: z.string() });

it('an answer is what its shape says', () => {
  expect(understand(SHAPE, { hash: 'x', more: 1 }, 'Qiniu')).toEqual({ hash: 'x' });
});

it.each([[undefined], [{}], ['<html>'], [{ hash: 1 }]])(
  '%j is malformed, and may be better next time',
  (answer) => {
    expect(() => understand(SHAPE, answer, 'Qiniu')).toThrow(
      expect.objectContaining({
        code: 'ANSWER_MALFORMED',
        message: 'the response has an unexpected format',
        about: 'Qiniu',
        transient: true,
      }),
    );
  },
);
