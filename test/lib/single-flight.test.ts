import { expect, it } from 'vitest';
import { SingleFlight } from '../../src/lib/single-flight.ts';

async function worksFor(once: SingleFlight<string, string>, keys: string): Promise<string> {
  let works = '';
  for (const key of keys) {
    await once.get(key, async () => {
      works += key;
      return key;
    });
  }
  return works;
}

it('works once for a key, and again when it was forgotten', async () => {
  const once = new SingleFlight<string, string>({ results: 10 });
  expect(await worksFor(once, 'abab')).toBe('ab');
  once.forget('a');
  expect(await worksFor(once, 'ab')).toBe('a');
});

it('remembers as many results as it may, the newest', async () => {
  const once = new SingleFlight<string, string>({ results: 2 });
  expect(await worksFor(once, 'abc')).toBe('abc');
  expect(await worksFor(once, 'bca')).toBe('a');
});

it('remembers no more than a weight, however few that are', async () => {
  const weigh = (result: string): number => (result === 'h' ? 100 : 1);
  const once = new SingleFlight<string, string>({ results: 100, weight: 10, weigh });
  expect(await worksFor(once, 'ab')).toBe('ab');
  expect(await worksFor(once, 'h')).toBe('h');
  expect(await worksFor(once, 'hab')).toBe('hab');
  expect(await worksFor(once, 'ab')).toBe('');
});

it('tells a failure to all who waited, and forgets it', async () => {
  const once = new SingleFlight<string, string>({ results: 10 });
  const work = () => Promise.reject(new Error('no'));
  const both = await Promise.allSettled([once.get('a', work), once.get('a', work)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await worksFor(once, 'a')).toBe('a');
});
