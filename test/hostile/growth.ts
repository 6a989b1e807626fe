import fc from 'fast-check';

/** An input that grows with a number. */
export interface Attack {
  readonly before: string;
  readonly again: string;
  readonly after: string;
}

const SEED = 7;
const SAMPLES = 2;
/** Endings at which a match fails late. */
const ENDINGS = ['', '\0', '/', ' x'];
const USUAL_TEXTS = [
  'a',
  '0',
  ' ',
  '-',
  '.',
  '/',
  ':',
  '_',
  '=',
  '"',
  '{{',
  '{{ ',
  '<',
  ',',
  '-1',
  'a.',
  '\t',
  '*',
  '{',
];

/** Returns texts that an expression matches; what cannot be made up is made without looking ahead. */
function samplesOf(expression: RegExp): string[] {
  // fast-check looks for ever for a character outside of those it makes up.
  if (/^\[[^\]]*\]\+?$/.test(expression.source)) return [];
  const plain = expression.source.replaceAll(/\(\?<?[=!](?:[^()]|\([^()]*\))*\)/g, '');
  for (const source of [expression.source, plain]) {
    try {
      const texts = fc.stringMatching(new RegExp(source, expression.flags.includes('u') ? 'u' : ''), {
        size: 'small',
      });
      return fc.sample(texts, { seed: SEED, numRuns: SAMPLES });
    } catch {
      // The next one is simpler.
    }
  }
  return [];
}

/** Returns inputs that match for long and then fail: each piece of a text that matches, over and over. */
export function attacksOn(expression: RegExp): Attack[] {
  const texts = samplesOf(expression);
  const begun = texts.flatMap((text) => {
    const kinds = [...text].map((character) => character.replace(/[a-z]/i, 'a').replace(/[0-9]/, '0'));
    const cuts = [...kinds.keys()].filter((at) => at === 0 || kinds[at] !== kinds[at - 1]);
    return cuts.slice(0, 6).flatMap((at) =>
      [1, 2].map((length) => ({
        before: text.slice(0, at),
        again: text.slice(at, at + length),
      })),
    );
  });
  const usual = [...texts.slice(0, 2).map((text) => text.slice(0, -1)), ''].flatMap((before) =>
    USUAL_TEXTS.map((again) => ({ before, again })),
  );
  return [...begun, ...usual].flatMap((each) => ENDINGS.map((after) => ({ ...each, after })));
}

function inputOf({ before, again, after }: Attack, length: number): string {
  return before + again.repeat(Math.ceil(length / Math.max(1, again.length))) + after;
}

/** Returns the time of the processor in milliseconds: what else the machine does counts for nothing. */
function costOnce(expression: RegExp, input: string): number {
  const begun = process.cpuUsage();
  input.replace(expression, '');
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

function costOf(expression: RegExp, input: string): number {
  return Math.min(...[1, 2, 3].map(() => costOnce(expression, input)));
}

/** Each four times as long as the one before, so that what explodes is noticed before it takes hours. */
const LENGTHS = [200, 800, 3200];
/** Far above what so many characters cost on the slowest machine when each is looked at a few times. */
const SUSPICIOUS_MILLISECONDS = 2;
/** Four times the input costs four times as much where growth is linear, and sixteen times where it is not. */
const GROWTH_LIMIT = 9;

/** Returns whether an expression costs more than in proportion to an input's length. */
export function explodesAt(expression: RegExp, attack: Attack): boolean {
  let before = Number.POSITIVE_INFINITY;
  for (const length of LENGTHS) {
    const input = inputOf(attack, length);
    const once = costOnce(expression, input);
    const cost = once < SUSPICIOUS_MILLISECONDS ? once : costOf(expression, input);
    if (cost >= SUSPICIOUS_MILLISECONDS && cost > Math.max(before, 0.01) * GROWTH_LIMIT) return true;
    before = cost;
  }
  return false;
}
