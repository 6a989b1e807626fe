import { expect, it } from 'vitest';
import { expressionsOfSources } from './expressions.ts';
import { attacksOn, explodesAt } from './growth.ts';

/** Sees a number that this program counted, and nothing else. */
const HARMLESS = String.raw`\B(?=(?:\d{3})+$)`;
const EXPRESSIONS = expressionsOfSources().filter(({ expression }) => expression.source !== HARMLESS);

it('finds the expressions of the sources', () => {
  expect(EXPRESSIONS.length).toBeGreaterThan(100);
});

it('finds one that explodes', () => {
  const quadratic = /\s*\{\{-\s+/;
  expect(attacksOn(quadratic).some((attack) => explodesAt(quadratic, attack))).toBe(true);
});

it.each(EXPRESSIONS)('$expression of $file does not explode', { timeout: 120_000 }, ({ expression }) => {
  const attacks = attacksOn(expression);
  expect(attacks.length).toBeGreaterThan(20);
  expect(attacks.find((attack) => explodesAt(expression, attack))).toBeUndefined();
});
